/** Takes everything off a terminal, above the window too. */
export const CLEAR = '\u001b[2J\u001b[3J\u001b[H';

/** What moves a terminal's cursor, changes its colours, or turns letters round; line breaks and tabs are ours. */
const COMMANDS = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** What somebody else typed can do nothing to the terminal of whoever reads it: such letters are written as their numbers. */
export const forTerminal = (text: string): string =>
  text.startsWith(CLEAR) ? CLEAR + spelled(text.slice(CLEAR.length)) : spelled(text);

const spelled = (text: string): string =>
  text.replace(COMMANDS, (letter) =>
    letter === '\n' || letter === '\t' ? letter : `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
