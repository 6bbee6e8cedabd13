import { type IncomingHttpHeaders, request as plainRequest } from 'node:http';
import { connect, constants } from 'node:http2';
import { request as tlsRequest } from 'node:https';
import { gunzipSync } from 'node:zlib';

export interface Asked {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As it came, still encoded. */
  readonly body: Buffer;
  /** False when the response was cut off. */
  readonly whole: boolean;
  readonly trailers: IncomingHttpHeaders;
}

export interface Question {
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly body?: string;
  /** Instead of what the URL says, to the letter; of HTTP/1 alone. */
  readonly path?: string;
  readonly http2?: boolean;
  readonly onFirstByte?: (status: number) => void;
  readonly onBytes?: (bytes: Buffer) => void;
  /** The client hangs up. */
  readonly signal?: AbortSignal;
}

/** One request as a client makes it that decodes nothing by itself; resolves also when it is cut off. */
export const ask = (url: string, question: Question = {}): Promise<Asked> =>
  question.http2 === true ? overHttp2(url, question) : overHttp1(url, question);

const CUT = { status: 0, headers: {}, body: Buffer.alloc(0), whole: false, trailers: {} };

function overHttp1(
  url: string,
  { headers, method = 'GET', body, path, signal, onFirstByte, onBytes }: Question,
): Promise<Asked> {
  return new Promise((resolve) => {
    const request = url.startsWith('https:') ? tlsRequest : plainRequest;
    const req = request(url, {
      rejectUnauthorized: false,
      method,
      agent: false,
      headers: { ...headers },
      ...(path !== undefined && { path }),
      ...(signal && { signal }),
    });
    req.on('error', () => resolve(CUT));
    req.on('response', (res) => {
      const chunks: Buffer[] = [];
      const seen = () => ({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) });
      res.on('data', (chunk: Buffer) => {
        if (chunks.push(chunk) === 1) onFirstByte?.(res.statusCode ?? 0);
        onBytes?.(chunk);
      });
      res.on('error', () => undefined);
      res.on('close', () => resolve({ ...seen(), whole: res.complete, trailers: res.trailers }));
    });
    req.end(body);
  });
}

function overHttp2(
  url: string,
  { headers, method = 'GET', body, signal, onFirstByte, onBytes }: Question,
): Promise<Asked> {
  const { origin, pathname, search } = new URL(url);
  return new Promise((resolve) => {
    const session = connect(origin, { rejectUnauthorized: false });
    const head = { ...headers, ':path': pathname + search, ':method': method };
    const stream = session.request(head, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
    const chunks: Buffer[] = [];
    let answer: Omit<Asked, 'body' | 'whole'> = { status: 0, headers: {}, trailers: {} };
    signal?.addEventListener('abort', () => stream.close(constants.NGHTTP2_CANCEL));
    session.on('error', () => resolve(CUT));
    stream.on('error', () => undefined);
    stream.on('response', (fields) => {
      answer = { ...answer, status: Number(fields[':status']), headers: fields };
    });
    stream.on('trailers', (trailers) => {
      answer = { ...answer, trailers: trailers };
    });
    stream.on('data', (chunk: Buffer) => {
      if (chunks.push(chunk) === 1) onFirstByte?.(answer.status);
      onBytes?.(chunk);
    });
    let ended = false;
    stream.on('end', () => {
      ended = true;
    });
    stream.on('close', () => {
      session.close();
      const whole = ended && answer.status > 0 && stream.rstCode === constants.NGHTTP2_NO_ERROR;
      resolve({ ...answer, body: Buffer.concat(chunks), whole });
    });
  });
}

/** What a browser would show of it; undefined when the bytes are not what the head says they are. */
export function decoded({ headers, body }: Pick<Asked, 'headers' | 'body'>): Buffer | undefined {
  try {
    return headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
  } catch {
    return undefined;
  }
}
