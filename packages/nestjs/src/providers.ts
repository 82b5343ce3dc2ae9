/** Tokens of the module's own providers; what applications inject has a class. */
export const MODULE_OPTIONS = Symbol('@shopify-tokens/nestjs options')
export const AUTH_ROUTES = Symbol('@shopify-tokens/nestjs authorization routes')
export const OPENED_TOKENS = Symbol('@shopify-tokens/nestjs opened tokens')
export const REQUEST_SETTINGS = Symbol('@shopify-tokens/nestjs request settings')

/** The metadata of exempt handlers and controllers. */
export const WITHOUT_SHOPIFY = Symbol('@shopify-tokens/nestjs without Shopify')
/** The metadata of handlers and controllers that need scopes: which ones. */
export const REQUIRED_SCOPES = Symbol('@shopify-tokens/nestjs required scopes')
/** The metadata of methods that take webhooks: of which topics. */
export const WEBHOOK_TOPICS = Symbol('@shopify-tokens/nestjs webhook topics')
