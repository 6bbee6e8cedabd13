import { SECRET } from './sessions.js';

const NAME = 'makegood_session';
const LIFE_SECONDS = 12 * 60 * 60;

const attributes = (isSecure: boolean): string => `; HttpOnly; SameSite=Strict; Path=/${isSecure ? '; Secure' : ''}`;

/** @param isSecure browsers reach us by https alone */
export const sessionCookie = (secret: string, isSecure: boolean): string =>
  `${NAME}=${secret}; Max-Age=${LIFE_SECONDS}${attributes(isSecure)}`;

export const endedCookie = (isSecure: boolean): string => `${NAME}=; Max-Age=0${attributes(isSecure)}`;

/** Undefined: none, or several, of which one was put there by somebody else. */
export function secretIn(cookie: string | undefined): string | undefined {
  const values = (cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${NAME}=`))
    .map((pair) => pair.slice(NAME.length + 1));
  const [value] = values;
  return values.length === 1 && value !== undefined && SECRET.test(value) ? value : undefined;
}
