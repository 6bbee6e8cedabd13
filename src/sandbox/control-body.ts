import type { Response } from 'express';
import { z } from 'zod';

/** Reads the body of a switch and acts on it; what does not read gets 400 and changes nothing. */
export async function acceptControl<T>(
  schema: z.ZodType<T>,
  body: unknown,
  res: Response,
  act: (value: T) => unknown,
): Promise<void> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) {
    res.status(400).json({ error: { code: 'invalid_request', message: z.prettifyError(parsed.error) } });
    return;
  }
  res.json((await act(parsed.data)) ?? { ok: true });
}
