import { createHmac } from 'node:crypto';

/** `t=…,v1=…`, one v1 per secret while secrets are rolled (docs.stripe.com/webhooks#verify-manually). */
export function stripeSignature(body: string, secrets: readonly string[], atSeconds: number): string {
  const signatures = secrets.map((secret) => {
    const hex = createHmac('sha256', secret).update(`${atSeconds}.${body}`).digest('hex');
    return `v1=${hex}`;
  });
  return [`t=${atSeconds}`, ...signatures].join(',');
}
