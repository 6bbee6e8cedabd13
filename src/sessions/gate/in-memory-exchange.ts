import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, request, type ServerResponse } from 'node:http';
import { connect, createServer as createHttp2Server } from 'node:http2';
import { duplexPair, type Readable } from 'node:stream';

export interface ReceivedAnswer {
  readonly status: number | undefined;
  readonly body: string;
  readonly trailers: IncomingHttpHeaders;
}

/** One request and its response, between Node's own client and server, without a port. */
export interface Exchange {
  /** As a handler is given it. */
  readonly response: Promise<ServerResponse>;
  readonly answer: Promise<ReceivedAnswer>;
  /** The head of the response has arrived. */
  readonly heard: () => boolean;
  readonly end: () => void;
}

export function exchangeOverHttp1(): Exchange {
  const [near, far] = duplexPair();
  const server = createServer();
  const response = responseOf(server);
  server.emit('connection', far);
  const asked = request({ createConnection: () => near }).end();
  let heard = false;
  const answer = new Promise<ReceivedAnswer>((resolve, reject) => {
    asked.once('error', reject);
    asked.once('response', (message) => {
      heard = true;
      collect(message, (body) => resolve({ status: message.statusCode, body, trailers: message.trailers }), reject);
    });
  });
  return { response, answer, heard: () => heard, end: () => asked.on('error', ignore).destroy() };
}

export function exchangeOverHttp2(): Exchange {
  const [near, far] = duplexPair();
  const server = createHttp2Server();
  const response = responseOf(server);
  server.emit('connection', far);
  const session = connect('http://in-memory', { createConnection: () => near });
  const stream = session.request();
  let status: number | undefined;
  let trailers: IncomingHttpHeaders = {};
  stream.once('response', (headers) => {
    status = headers[':status'];
  });
  stream.once('trailers', (fields) => {
    trailers = fields;
  });
  const answer = new Promise<ReceivedAnswer>((resolve, reject) =>
    collect(stream, (body) => resolve({ status, body, trailers }), reject),
  );
  return { response, answer, heard: () => status !== undefined, end: () => session.on('error', ignore).destroy() };
}

async function responseOf(server: NodeJS.EventEmitter): Promise<ServerResponse> {
  const [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
  return response;
}

/** At once: a stream of HTTP/2 that nobody reads is over when it has arrived. */
function collect(answer: Readable, whole: (body: string) => void, cut: (error: Error) => void): void {
  const chunks: Buffer[] = [];
  answer.on('data', (chunk: Buffer) => chunks.push(chunk));
  answer.once('end', () => whole(Buffer.concat(chunks).toString()));
  answer.once('error', cut);
  answer.once('close', () => cut(new Error('it was cut off')));
}

const ignore = (): void => undefined;
