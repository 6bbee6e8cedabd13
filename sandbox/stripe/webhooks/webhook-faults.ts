import { z } from 'zod';
import { ruleBase } from '../../stand-in/fault-rules.js';

export const WEBHOOK_FAULT_KINDS = ['lost', 'late', 'duplicated', 'out_of_order', 'forged', 'stale'] as const;
export type WebhookFaultKind = (typeof WEBHOOK_FAULT_KINDS)[number];

export const webhookFaultSchema = z.strictObject({
  /** One of these is drawn evenly each time the rule strikes. */
  kinds: z.array(z.enum(WEBHOOK_FAULT_KINDS)).min(1),
  /** Only events of these types. */
  types: z.array(z.string().min(1)).min(1).optional(),
  ...ruleBase,
  /** `late`: by how much, by the stand-in's clock. */
  ms: z.int().min(0).optional(),
});
export type WebhookFaultRule = z.input<typeof webhookFaultSchema>;
