/** Play money: whoever starts the stand-in on this machine may know them. */
export const SANDBOX_HYPERSWITCH_API_KEY = 'sandbox-hyperswitch-api-key';
export const SANDBOX_HYPERSWITCH_WEBHOOK_SECRET = 'sandbox-hyperswitch-hash-key';
