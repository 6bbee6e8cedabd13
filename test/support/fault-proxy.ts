import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A wire between a process under test and a server, that a test can make slow, deaf or treacherous. */
export interface FaultProxy {
  readonly port: number;
  /**
   * Everything passes again; connections that were spoilt are cut, as a mended network would show them.
   * @throws where bytes that were waited for never came: whatever was to be shown of them was not
   */
  heal(): void;
  /** Every piece takes this much longer, in both directions. */
  delay(ms: number): void;
  /**
   * Once: the next request whose bytes hold `text` reaches the server, and its answer never comes back: the connection is
   * cut after `bytes` of it.
   * @param after only on a connection on which a request with this has passed before
   */
  cutAnswerTo(text: string, options?: { readonly bytes?: number; readonly after?: string }): void;
  /** Nothing passes any more and nothing is refused: connections stay open and silent. @param from only once this was sent */
  blackHole(from?: string): void;
  /** Cuts what is open and refuses what is new. */
  refuse(): void;
  /** Connections that were turned away so far. */
  refused(): number;
  close(): Promise<void>;
}

interface Cut {
  readonly text: string;
  readonly bytes: number;
  readonly after: string | undefined;
  /** The connections on which `after` has passed. */
  readonly on: Set<Socket>;
}

interface Faults {
  delayMs: number;
  cut: Cut | undefined;
  deafFrom: string | undefined;
  deaf: boolean;
  refusing: boolean;
}
const NONE: Faults = { delayMs: 0, cut: undefined, deafFrom: undefined, deaf: false, refusing: false };

/** @param target `host:port` or a URL with both */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port: targetPort } = new URL(target.includes('://') ? target : `tcp://${target}`);
  const open = new Set<Socket>();
  let faults = { ...NONE };
  let refused = 0;

  const server = createServer((client) => {
    if (faults.refusing) {
      refused += 1;
      return void client.resetAndDestroy();
    }
    const upstream = connect(Number(targetPort), hostname);
    const destroy = () => {
      client.destroy();
      upstream.destroy();
    };
    const [toServer, toClient] = [wireTo(upstream), wireTo(client)];
    let answerLeft = Number.POSITIVE_INFINITY;
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', destroy);
      socket.on('close', () => {
        open.delete(socket);
        destroy();
      });
    }
    client.on('data', (piece) => {
      if (faults.deafFrom !== undefined && piece.includes(faults.deafFrom)) faults.deaf = true;
      const { cut } = faults;
      if (cut && piece.includes(cut.text) && (cut.after === undefined || cut.on.has(client))) {
        answerLeft = cut.bytes;
        faults.cut = undefined;
      } else if (cut?.after !== undefined && piece.includes(cut.after)) cut.on.add(client);
      toServer(piece);
    });
    upstream.on('data', (piece) => {
      if (piece.length <= answerLeft) {
        answerLeft -= piece.length;
        return toClient(piece);
      }
      if (answerLeft === 0) return destroy();
      client.write(piece.subarray(0, answerLeft), destroy);
    });
  });

  /** One direction of one connection; what was sent first arrives first, also when the delay changes in between. */
  function wireTo(socket: Socket): (piece: Buffer) => void {
    const queue: { readonly piece: Buffer; readonly dueAt: number }[] = [];
    let timer: NodeJS.Timeout | undefined;
    const deliver = () => {
      timer = undefined;
      for (let next = queue[0]; next; next = queue[0]) {
        const leftMs = next.dueAt - performance.now();
        if (leftMs > 0) {
          timer = setTimeout(deliver, leftMs);
          return;
        }
        queue.shift();
        if (!socket.destroyed) socket.write(next.piece);
      }
    };
    return (piece) => {
      if (faults.deaf) return;
      queue.push({ piece, dueAt: performance.now() + faults.delayMs });
      if (timer === undefined) deliver();
    };
  }
  const cutAll = () => {
    for (const socket of open) socket.resetAndDestroy();
  };

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    heal() {
      const { deaf: spoilt, cut, deafFrom } = faults;
      faults = { ...NONE };
      if (spoilt) cutAll();
      const neverCame = cut?.text ?? (spoilt ? undefined : deafFrom);
      if (neverCame !== undefined) throw new Error(`nothing that holds ${neverCame} has passed`);
    },
    delay(ms) {
      faults.delayMs = ms;
    },
    cutAnswerTo(text, { bytes = 0, after } = {}) {
      faults.cut = { text, bytes, after, on: new Set() };
    },
    blackHole(from) {
      if (from === undefined) faults.deaf = true;
      else faults.deafFrom = from;
    },
    refuse() {
      faults.refusing = true;
      cutAll();
    },
    refused: () => refused,
    async close() {
      server.close();
      cutAll();
      await once(server, 'close');
    },
  };
}
