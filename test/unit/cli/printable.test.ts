import { describe, expect, it } from 'vitest';
import { CLEAR, forTerminal } from '../../../src/cli/printable.js';
import { table } from '../../../src/cli/table.js';

describe('what somebody else typed', () => {
  it('does nothing to the terminal of whoever reads it: no colour, no other place, no letters turned round', () => {
    expect(forTerminal('a rug\u001b[2J\u009b1mfree\r\u0007\u202e54')).toBe(
      'a rug\\u001b[2J\\u009b1mfree\\u000d\\u0007\\u202e54',
    );
    expect(forTerminal('line\n\tschön, 地毯, سجادة')).toBe('line\n\tschön, 地毯, سجادة');
  });

  it('does not clear it either, as --watch itself does', () => {
    expect(forTerminal(`${CLEAR}one${CLEAR}`)).toBe(`${CLEAR}one${CLEAR.replaceAll('\u001b', '\\u001b')}`);
  });

  it('is no line of its own in a table', () => {
    expect(table(['item', 'words'], [['rug', 'a rug\r\n  platform  keeps 0']])).toEqual([
      'item  words',
      'rug   a rug platform  keeps 0',
    ]);
  });
});
