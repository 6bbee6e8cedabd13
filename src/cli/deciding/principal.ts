import type { ApiToken, Role } from '../../domain/roles.js';
import { type CliContext, CommandRefused } from '../context.js';

/** Who decides by a command: the holder of a token, or a name that anybody may type. */
interface Decider {
  readonly by: string;
  readonly authenticated: boolean;
  /** His token may confirm what another person asked for. */
  readonly approves: boolean;
}

interface Given {
  readonly tokenFile?: string;
  readonly by?: string;
}

const DECIDES: readonly Role[] = ['operator', 'approver'];
const APPROVES: readonly Role[] = ['approver'];

/**
 * With a token, the person that API_TOKENS has for it: the same as before the API, with the same roles. Without one, a name
 * that proves nothing.
 * @throws CommandRefused for a token that cannot decide: never taken for none
 */
export function deciderFor(context: CliContext, { tokenFile, by: name }: Given): Decider {
  const token = context.token(tokenFile);
  if (token === undefined) {
    const by = name ?? context.userName();
    if (by.trim() === '') throw new CommandRefused('--by names nobody');
    return { by, authenticated: false, approves: false };
  }
  if (name !== undefined)
    throw new CommandRefused('--by is for who has no token: the decision is recorded under the name of the token');
  const { name: by, role } = holderOf(token, { tokens: context.readOperatorConfig().apiTokens, roles: DECIDES });
  return { by, authenticated: true, approves: APPROVES.includes(role) };
}

/** Who approves: a second person is one whom we know, so a name alone is nobody's. @throws CommandRefused */
export function approverFor(context: CliContext, tokenFile: string | undefined): string {
  const token = context.token(tokenFile);
  if (token === undefined)
    throw new CommandRefused(
      'an approval counts under the token of an approver alone: set MAKEGOOD_TOKEN or --token-file. Nothing was decided',
    );
  return holderOf(token, { tokens: context.readOperatorConfig().apiTokens, roles: APPROVES }).name;
}

function holderOf(
  token: string,
  { tokens, roles }: { readonly tokens: readonly ApiToken[]; readonly roles: readonly Role[] },
): ApiToken {
  if (tokens.length === 0)
    throw new CommandRefused('a token is known only where API_TOKENS is set as for the server: nothing was decided');
  const known = tokens.find((one) => one.token === token);
  if (!known) throw new CommandRefused('this token is none of API_TOKENS: nothing was decided');
  if (!roles.includes(known.role))
    throw new CommandRefused(
      `the token of ${known.name} is for the role ${known.role}; this takes ${roles.join(' or ')}: nothing was decided`,
    );
  return known;
}
