// What Node does with a response is taken apart here, as another version of Node would.
/* oxlint-disable typescript/unbound-method, eslint/no-underscore-dangle */
import { OutgoingMessage, ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import { expect, onTestFinished, test } from 'vitest';
import { exchangeOverHttp2 } from '../../../src/sessions/gate/in-memory-exchange.js';
import { nodeProblem, tryNode } from '../../../src/sessions/gate/node-trial.js';
import { sell } from './support/world.js';

type Method = (this: Loose, ...args: Loose[]) => unknown;
// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;

/** Until the test is over. */
function replaceMethod(proto: object, name: string, by: (node: Method) => Method | undefined): void {
  const own = Object.getOwnPropertyDescriptor(proto, name);
  const value = by(Reflect.get(proto, name) as Method);
  Object.defineProperty(proto, name, { configurable: true, writable: true, value });
  onTestFinished(() => {
    if (own) Object.defineProperty(proto, name, own);
    else Reflect.deleteProperty(proto, name);
  });
}

/** The class that all streams of a server of HTTP/2 share; Node exports it nowhere. */
async function http2Streams(): Promise<object> {
  const { response, answer, end } = exchangeOverHttp2();
  const res = await response;
  res.end();
  await answer;
  end();
  return Object.getPrototypeOf((res as ServerResponse & { stream: ServerHttp2Stream }).stream) as object;
}

const neverDrains: (node: Method) => Method = (node) =>
  function emit(this: Loose, event: Loose, ...args: Loose[]) {
    return event === 'drain' ? false : node.call(this, event, ...args);
  };

/** A Node that sends by other methods, or by the same in another way. */
const OTHERS: readonly (readonly [
  name: string,
  proto: () => object | Promise<object>,
  method: string,
  by: (node: Method) => Method | undefined,
  says: string,
])[] = [
  ['sends by other methods', () => OutgoingMessage.prototype, '_writeRaw', () => undefined, 'HTTP/1.1, held:'],
  [
    'hands bytes to the socket past them',
    () => ServerResponse.prototype,
    '_send',
    () =>
      function send(data, encoding, callback) {
        const head = this._headerSent ? '' : this._header;
        this._headerSent = true;
        this.req.socket.write(head, 'latin1');
        return this.req.socket.write(data, encoding, callback);
      },
    'HTTP/1.1, held: it left although it is held',
  ],
  [
    'lets go in another order',
    () => OutgoingMessage.prototype,
    '_flushOutput',
    (node) =>
      function flush(socket) {
        const [head, ...rest] = this.outputData;
        this.outputData = head ? [head, ...rest.toReversed()] : [];
        return node.call(this, socket);
      },
    'HTTP/1.1, taken:',
  ],
  [
    'never says that there is room again',
    () => ServerResponse.prototype,
    'emit',
    neverDrains,
    'HTTP/1.1, held: it has not ended',
  ],
  [
    'writes to a stream of HTTP/2 past its methods',
    http2Streams,
    'write',
    () =>
      function write(chunk, encoding, callback = () => undefined) {
        Object.getPrototypeOf(this)._write.call(this, chunk, encoding, callback);
        return true;
      },
    'HTTP/2, held:',
  ],
];

test.each(OTHERS)('a Node that %s is told from one that can sell', async (_name, proto, method, by, says) => {
  replaceMethod(await proto(), method, by);
  const problem = await tryNode(500);
  expect(problem).toContain(says);
  expect(problem).toContain(`Node ${process.version} does not hold responses back as the gate needs it`);
  expect(problem).toMatch(/run a version with which this was tried, \^20\.19\.0 \|\| .*\d$/);
});

test('this Node holds a response back and lets it go as the gate relies on; it is tried once in a process', async () => {
  expect(await tryNode()).toBeUndefined();
  expect(nodeProblem()).toBe(nodeProblem());
  expect(await nodeProblem()).toBeUndefined();
});

test('where a response cannot be held back nothing is sold, and it is said why', async () => {
  let served = 0;
  const world = await sell(() => void (served += 1), { nodeProblem: 'Node v99 sends by itself' });
  onTestFinished(() => world.close());
  const answer = await fetch(`${world.url}/paid`);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ code: 'payment_unavailable' });
  expect(served).toBe(0);
  expect(world.logged).toEqual(['nothing is sold, and paid routes answer 503 {"problem":"Node v99 sends by itself"}']);
});
