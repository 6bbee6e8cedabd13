/** Play money: whoever starts the stand-in on this machine may know them. */
export const SANDBOX_STRIPE_WEBHOOK_SECRET = 'whsec_sandbox';
