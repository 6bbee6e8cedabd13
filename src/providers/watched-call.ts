/** One request to a provider, as a trace tells of it. Never its headers or body, and no address but the host's. */
export interface CallToWatch {
  readonly method: string;
  /** For the host and port alone: the rest may hold a key of a node's provider. */
  readonly url: string | URL;
  /** What it is for, as a path or a method of its protocol. */
  readonly what?: string;
}

export interface CallSeen {
  readonly status?: number;
  /** The provider's own name of the request. */
  readonly requestId?: string | null;
  /** No answer, or none that could be read. */
  readonly failed?: string;
}

export type WatchCall = <Result>(
  call: CallToWatch,
  send: () => Promise<Result>,
  seen: (result: Result) => CallSeen,
) => Promise<Result>;

let watch: WatchCall | undefined;

/** Once, at the start of a process that has traces: every client of a provider in it is watched. */
export function watchCalls(by: WatchCall | undefined): void {
  watch = by;
}

/** Sends as if nobody watched where nobody does; whoever watches changes nothing of it. */
export const watched: WatchCall = (call, send, seen) => (watch === undefined ? send() : watch(call, send, seen));
