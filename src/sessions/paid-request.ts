import type { IncomingMessage, OutgoingHttpHeader, ServerResponse } from 'node:http';
import type { PlainAnswer } from './gate/wire.js';

export type HeadersSoFar = Readonly<Record<string, OutgoingHttpHeader | undefined>>;

export interface WholeAnswer extends Omit<PlainAnswer, 'body'> {
  readonly body: string | Buffer;
}

/** One request to a paid route, as the framework through which it came knows it; all that is asked of a framework. */
export interface PaidRequest {
  /** Node's own; of HTTP/2 those of its compatibility API. */
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Path and query as the client sent them, with what routers have taken off. */
  readonly originalUrl: string;
  /** Scheme and host as clients see them. A proxy is believed as far as the framework was told to trust proxies. */
  readonly origin: string;
  /** Where the request comes from, by the same rules. */
  readonly address: string;
  /** The path as it was declared, so that one route stays one route whatever ids are in it. */
  readonly route: string;
  /** What the layers before have said about every answer, by names in lower case: CORS, request ids, security. */
  headersSoFar(): HeadersSoFar;
  /** What a parser before has made of the body; undefined where there was none. */
  parsedBody(): unknown;
  /** Answers in place of the handler, beside what is said so far of every answer. */
  answer(answer: WholeAnswer): void;
  /** Gives an answer that has been sent before, as it left: layers that have changed it then change it no second time. */
  answerAgain(answer: WholeAnswer): void;
}
