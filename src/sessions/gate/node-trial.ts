import type { ServerResponse } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { withTimeout } from '../../domain/timeout.js';
import { holdWire } from './hold-wire.js';
import { type Exchange, exchangeOverHttp1, exchangeOverHttp2 } from './in-memory-exchange.js';
import type { Wire, WriteVerdict } from './wire.js';

/** With which `npm test` tries that responses are held back, as in package.json under engines; a test keeps the two alike. */
export const NODE_VERSIONS = '^20.19.0 || ^22.12.0 || ^24.0.0 || ^26.0.0';

/** A response in the hands of a trial, which is its handler and its gate in one. */
interface Stage {
  readonly res: ServerResponse;
  readonly wire: Wire;
  /** What becomes of bytes that want to leave, from now on. */
  readonly judge: (verdict: WriteVerdict) => void;
  /** However long it waits, the client has not heard a word. */
  readonly expectNothingLeft: () => Promise<void>;
}

interface Scene {
  readonly name: string;
  readonly play: (stage: Stage) => Promise<void>;
  readonly arrives: readonly [status: number, body: string, trailer: string | undefined];
}

/** More than there is room for on the way, so that whoever has room again must say so. */
const PIECE = 'x'.repeat(70_000);
const TRAILER = 'x-pieces';
const INSTEAD = { status: 402, headers: { 'Content-Type': 'text/plain' }, body: 'instead' };
/** Turns of the event loop; what is not held arrives in less than five. */
const TURNS = 20;
/** A busy machine must not be taken for a Node that does not do. */
const WITHIN_MS = 10_000;

const SCENES: readonly Scene[] = [
  {
    name: 'held',
    async play({ res, wire, judge, expectNothingLeft }) {
      judge('hold');
      res.cork();
      res.write('one ');
      res.uncork();
      if (res.write(PIECE)) throw new Error('its writer is not slowed down');
      await expectNothingLeft();
      const drained = drainOf(res);
      judge('pass');
      wire.release();
      await drained;
      res.write(' two ');
      res.end('three');
    },
    arrives: [200, `one ${PIECE} two three`, undefined],
  },
  {
    name: 'taken',
    async play({ res, wire, judge, expectNothingLeft }) {
      judge('take');
      for (const name of ['one', 'two', 'three']) if (!res.write(name + PIECE)) await drainOf(res);
      res.addTrailers({ [TRAILER]: '3' });
      res.end('end');
      await expectNothingLeft();
      judge('pass');
      wire.release();
    },
    arrives: [200, `one${PIECE}two${PIECE}three${PIECE}end`, '3'],
  },
  {
    name: 'let go while it is written',
    async play({ res, wire, judge }) {
      judge('take');
      res.write('one');
      res.end('two');
      judge('pass');
      wire.release();
    },
    arrives: [200, 'onetwo', undefined],
  },
  {
    name: 'replaced',
    async play({ res, wire, judge, expectNothingLeft }) {
      judge('take');
      res.write(PIECE);
      res.end('secret');
      await expectNothingLeft();
      wire.replace(INSTEAD);
    },
    arrives: [INSTEAD.status, INSTEAD.body, undefined],
  },
];

const PROTOCOLS: Readonly<Record<string, () => Exchange>> = {
  'HTTP/1.1': exchangeOverHttp1,
  'HTTP/2': exchangeOverHttp2,
};

let tried: Promise<string | undefined> | undefined;

/**
 * The gate stands on what is Node's own business, and differs from one major version to the next. So each process tries once,
 * before it sells anything, whether its Node holds a response back, and lets it go, as the gate relies on.
 * @returns why nothing may be sold
 */
export const nodeProblem = (): Promise<string | undefined> => (tried ??= tryNode());

export async function tryNode(withinMs = WITHIN_MS): Promise<string | undefined> {
  const trials = Object.entries(PROTOCOLS).flatMap(([protocol, open]) =>
    SCENES.map((scene) =>
      tryScene(scene, open, withinMs).then(
        () => undefined,
        (error: unknown) => `${protocol}, ${scene.name}: ${error instanceof Error ? error.message : String(error)}`,
      ),
    ),
  );
  const wrong = (await Promise.all(trials)).filter((one) => one !== undefined);
  if (wrong.length === 0) return undefined;
  return `Node ${process.version} does not hold responses back as the gate needs it (${wrong.join('; ')}): run a version with which this was tried, ${NODE_VERSIONS}`;
}

async function tryScene({ play, arrives }: Scene, open: () => Exchange, withinMs: number): Promise<void> {
  const { response, answer, heard, end } = open();
  async function serve(): Promise<void> {
    const res = await response;
    let verdict: WriteVerdict = 'hold';
    let finished: () => void = nothing;
    const wire = holdWire(res, {
      admit: () => verdict,
      onFinished: () => finished(),
      onHead: nothing,
      takesDown: false,
      onBody: nothing,
      onWritten: nothing,
      onEnding: nothing,
      onEnded: nothing,
      onGone: nothing,
    });
    const told = new Promise<void>((resolve) => {
      finished = resolve;
    });
    await play({
      res,
      wire,
      judge(next) {
        verdict = next;
      },
      async expectNothingLeft() {
        for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        if (heard()) throw new Error('it left although it is held');
      },
    });
    await told;
  }
  try {
    const [{ status, body, trailers }] = await withTimeout(withinMs, Promise.all([answer, serve()]), 'it');
    if (!isDeepStrictEqual([status, body, trailers[TRAILER]], arrives))
      throw new Error('it arrived otherwise than it was let go');
  } finally {
    end();
  }
}

const drainOf = (res: ServerResponse) => new Promise((resolve) => res.once('drain', resolve));

const nothing = (): void => undefined;
