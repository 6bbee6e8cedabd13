import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

/** What a receiver does with what comes. */
export type Behaviour = 'take' | 'fail' | 'hang' | 'redirect' | 'gone' | 'reset' | 'babble';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  behave(behaviour: Behaviour): void;
  close(): Promise<void>;
}

/** A receiver of webhooks that a test can make ill. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let now: Behaviour = 'take';
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      received.push({
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(parts).toString('utf8'),
      });
      if (now === 'hang') return;
      if (now === 'reset') request.socket.resetAndDestroy();
      else if (now === 'redirect') response.writeHead(307, { location: '/elsewhere' }).end();
      else if (now === 'babble') response.writeHead(500).end('x'.repeat(10_000_000));
      else response.writeHead({ take: 204, fail: 503, gone: 410 }[now]).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    behave: (behaviour) => {
      now = behaviour;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export interface MailBox {
  readonly port: number;
  /** Whole mails, as they came. */
  readonly mails: string[];
  /** Refuses whatever comes, or stops to. */
  refuse(refuses: boolean): void;
  close(): Promise<void>;
}

/** A mail server that takes everything. */
export async function startMailBox(): Promise<MailBox> {
  const mails: string[] = [];
  let refuses = false;
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData(stream, _session, done) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        if (refuses) return done(Object.assign(new Error('try whsec_later'), { responseCode: 451 }));
        mails.push(Buffer.concat(parts).toString('utf8'));
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    mails,
    refuse: (is) => {
      refuses = is;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
