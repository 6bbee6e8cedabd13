import { type DestinationStream, destination, type Logger as PinoLogger, pino } from 'pino';
import { scrub, scrubText } from './scrub.js';

/** What the product logs with; one JSON object a line. */
export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error'>;

export interface LoggerOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error';
  /** Which process speaks. */
  readonly name: string;
  /** Standard error when left out: standard output belongs to the answers of commands. */
  readonly to?: DestinationStream;
}

/** @returns with the level, which may be set at any time */
export function createLogger({ level, name, to }: LoggerOptions): Logger & { level: string } {
  return pino(
    {
      level,
      name,
      base: { pid: process.pid },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      // Errors arrive scrubbed already; the library's own serializer would take them for plain objects.
      serializers: { err: (error: unknown) => error },
      formatters: { level: (label) => ({ level: label }) },
      hooks: {
        logMethod(args, method) {
          const [first, ...rest] = args;
          const texts = rest.map((part: unknown) => (typeof part === 'string' ? scrubText(part) : scrub(part)));
          Reflect.apply(method, this, [scrubbedSubject(first), ...texts]);
        },
      },
    },
    // Synchronous, so that the last line before a crash is there.
    to ?? destination({ dest: 2, sync: true }),
  );
}

/** A bare error is told under `err`, as everywhere else. */
const scrubbedSubject = (subject: unknown): unknown =>
  subject instanceof Error ? { err: scrub(subject) } : scrub(subject);
