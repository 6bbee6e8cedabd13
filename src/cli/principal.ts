import type { ApiToken } from '../domain/roles.js';
import { type CliContext, CommandRefused } from './context.js';

/** Who decides by a command: the holder of a token, or a name that anybody may type. */
interface Decider {
  readonly by: string;
  readonly authenticated: boolean;
}

interface Given {
  readonly token: string | undefined;
  /** Of --by. */
  readonly name: string | undefined;
  readonly userName: string;
}

/**
 * With a token, the person that API_TOKENS has for it: the same as before the API, with the same roles. Without one, a name
 * that proves nothing.
 * @throws CommandRefused for a token that cannot decide: never taken for none
 */
function deciderOf({ token, name, userName }: Given, tokens: readonly ApiToken[]): Decider {
  if (token === undefined) {
    const by = name ?? userName;
    if (by.trim() === '') throw new CommandRefused('--by names nobody');
    return { by, authenticated: false };
  }
  if (name !== undefined)
    throw new CommandRefused('--by is for who has no token: the decision is recorded under the name of the token');
  if (tokens.length === 0)
    throw new CommandRefused('a token is known only where API_TOKENS is set as for the server: nothing was decided');
  const known = tokens.find((one) => one.token === token);
  if (!known) throw new CommandRefused('this token is none of API_TOKENS: nothing was decided');
  if (known.role !== 'operator' && known.role !== 'approver')
    throw new CommandRefused(
      `the token of ${known.name} is for the role ${known.role}; deciding takes operator or approver: nothing was decided`,
    );
  return { by: known.name, authenticated: true };
}

/** By the options of a command. @throws CommandRefused */
export const deciderFor = (
  context: CliContext,
  { tokenFile, by }: { readonly tokenFile?: string; readonly by?: string },
): Decider =>
  deciderOf(
    { token: context.token(tokenFile), name: by, userName: context.userName() },
    context.readOperatorConfig().apiTokens,
  );
