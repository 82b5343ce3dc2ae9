/** Tokens of the module's own providers; what applications inject has a class. */
export const MODULE_OPTIONS = Symbol('@shopify-tokens/nestjs options')
export const OPENED_TOKENS = Symbol('@shopify-tokens/nestjs opened tokens')
export const REQUEST_SETTINGS = Symbol('@shopify-tokens/nestjs request settings')

/** The metadata of exempt handlers and controllers. */
export const WITHOUT_SHOPIFY = Symbol('@shopify-tokens/nestjs without Shopify')
