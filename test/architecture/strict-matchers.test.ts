import { expect, it } from 'vitest';

const found = { kind: 'refused', detail: 'say retry', lookup: null, items: ['a'] };

it.each([
  ['a pattern', { detail: /adopt/ }],
  ['no members', { lookup: {} }],
  ['a pattern in a list', { items: [/b/] }],
])('toMatchObject refuses %s, which would match anything', (_what, expected) => {
  expect(() => expect(found).toMatchObject(expected)).toThrow('toMatchObject would take anything for expected.');
});

it('toMatchObject refuses it of a promise too', async () => {
  const compare = async () => {
    await expect(Promise.resolve(found)).resolves.toMatchObject({ detail: /adopt/ });
  };
  await expect(compare()).rejects.toThrow('toMatchObject would take anything');
});

it('toMatchObject compares what it is told, as before', () => {
  const told = { kind: 'refused', detail: expect.stringMatching(/retry/), items: ['a'] };
  expect(found).toMatchObject(told);
  expect(found).not.toMatchObject({ ...told, kind: 'applied' });
  expect(() => expect(found).toMatchObject({ ...told, detail: expect.stringMatching(/adopt/) })).toThrow(
    'to match object',
  );
});
