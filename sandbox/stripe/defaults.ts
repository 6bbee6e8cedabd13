/** Play money: whoever starts the stand-in on this machine may know them. */
export const SANDBOX_STRIPE_WEBHOOK_SECRET = 'whsec_sandbox';
/** Whose every key is that the stand-in lets in. */
export const SANDBOX_STRIPE_PLATFORM = 'acct_1SandboxPlatform0000000';
