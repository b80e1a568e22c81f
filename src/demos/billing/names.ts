/** Who takes part in the demo. */
export const names = {
  gateway: 'acme/shop/gateway',
  invoices: 'acme/billing/invoices',
} as const;
