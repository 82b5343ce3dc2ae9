export type { AcquireOptions } from './acquire-options.js'
export { adminFetch, type AdminFetchOptions, type ShopClients } from './admin/admin-fetch.js'
export { createShopClient, type ShopClientOptions } from './admin/create-shop-client.js'
export type { GraphqlError, GraphqlOptions, GraphqlResult, ShopClient } from './admin/shop-client.js'
export { currentAccess, currentShop, runInRequest, runInShop } from './context.js'
export { createTokenManager } from './create-token-manager.js'
export {
  type DatabaseConfiguration,
  ENVIRONMENT_VARIABLES,
  type EnvironmentConfiguration,
  readEnvironment,
  type SealingConfiguration,
} from './environment.js'
export type { Durations } from './durations.js'
export {
  AdminResponseError,
  type AnyShopifyTokenError,
  type CallbackFlaw,
  ClosedError,
  CoolingDownError,
  type ErrorCode,
  type ErrorDetails,
  FleetSuspectError,
  ForeignDeploymentError,
  ForeignOriginError,
  InvalidAuthRequestError,
  InvalidCallbackError,
  InvalidOptionError,
  InvalidSessionTokenError,
  InvalidShopError,
  InvalidWebhookError,
  isShopifyTokenError,
  LeaseTimeoutError,
  NoContextError,
  ReauthorizationRequiredError,
  type ReauthorizationReason,
  RenewalElsewhereError,
  RotationNotStoredError,
  ScopeMissingError,
  SecretOutdatedError,
  type SessionTokenFlaw,
  ShopifyTokenError,
  StoreUnavailableError,
  StoreUnreadableError,
  TokenEndpointError,
  type TokenEndpointErrorCode,
  WebhookBodyParsedError,
  type WebhookFlaw,
} from './errors.js'
export type { RenewalTrigger, TokenEvent, TokenEventListener, TokenEventType } from './events.js'
export { AuthFlow } from './http/auth-flow.js'
export { AUTH_VARIABLES, type AuthOptions, type Installed } from './http/auth-options.js'
export { APP_BRIDGE_URL } from './http/auth-pages.js'
export type { AuthRequest } from './http/auth-request.js'
export { errorAnswer, type ErrorAnswerOptions, type HttpAnswer, type ProblemDetails } from './http/error-answer.js'
export type { EnvironmentModule, EnvironmentOverrides } from './http/environment-request-tokens.js'
export { errorReply, type ErrorReplyOptions } from './http/error-reply.js'
export type { HttpReply } from './http/http-reply.js'
export { managerOf, type ManagerSource } from './http/manager-source.js'
export {
  openRequest,
  type OpenRequestOptions,
  type RequestFacts,
  type RequestTokenSource,
} from './http/open-request.js'
export { type ParsedBody, rawBodyOf } from './http/raw-body.js'
export {
  parseAuthPath,
  parseRequestOptions,
  parseRoutePath,
  type RequestOptions,
  type RequestSettings,
  type ShopOfRequest,
} from './http/request-options.js'
export type { KeepAliveOption } from './http/keep-alive-option.js'
export {
  chooseRequestTokens,
  type EnvironmentTokensOptions,
  type GivenTokensOptions,
  type ManagedTokensOptions,
  type RequestTokens,
  type RequestTokensOptions,
} from './http/request-tokens.js'
export type { WebhookHandler, WebhookOptions } from './http/webhook-options.js'
export { WebhookReceiver } from './http/webhook-receiver.js'
export type { ShopsQuery, ShopState } from './keep-alive/shop-state.js'
export type {
  KeepAliveOptions,
  SweepFailure,
  SweepOptions,
  SweepReport,
  SweepStep,
} from './keep-alive/sweep-options.js'
export type { Checkpoint, JobProgress } from './jobs/checkpoint.js'
export { type ConnectionPage, pagesOf, type PagesOptions } from './jobs/pages-of.js'
export { type Chunk, type NextChunk, resumable, type ResumableOptions } from './jobs/resumable.js'
export { fileKeyRing, loadedKeyRing, type LoadedKeyRingOptions, parseSealingKeys, staticKeyRing } from './key-rings.js'
export { MemoryDeliveryLog } from './memory/memory-delivery-log.js'
export { MemoryLock } from './memory/memory-lock.js'
export { MemoryTokenStore } from './memory/memory-token-store.js'
export { AppSignatures, type AppSignaturesOptions } from './oauth/app-signatures.js'
export type { OAuthCallback } from './oauth/callback.js'
export { type SessionToken, SessionTokenVerifier, type SessionTokenVerifierOptions } from './oauth/id-token.js'
export { MAX_WEBHOOK_BYTES, type WebhookDelivery, type WebhookRequest } from './oauth/webhook.js'
export { flagOption, invalidOption, refuseUnknownOptions, wholeNumberOption } from './option-checks.js'
export type { TokenManagerOptions } from './options.js'
export { type Clock, type SleepOptions, systemClock } from './ports/clock.js'
export type { DeliveryKey, DeliveryLog, DeliveryState } from './ports/delivery-log.js'
export type { DeploymentRegister } from './ports/deployment-register.js'
export type { Fetch } from './ports/fetch.js'
export type { KeyRing, SealingKey } from './ports/key-ring.js'
export { type Held, isHeld, type Lease, type Lock } from './ports/lock.js'
export type { PutResult, ScannedRow, ScanQuery, Snapshot, TokenStore, Version } from './ports/token-store.js'
export type { WatchWrites, WriteWatch } from './ports/write-watch.js'
export type { RenewalMode } from './renewal-mode.js'
export { RequestAccess } from './request-access.js'
export { isScope, missingScopes, parseScopes } from './scopes.js'
export type { UninstallOutcome } from './removal.js'
export type { NotifyHook, ReauthorizationNotice } from './renewal/notices.js'
export { sealedStore } from './sealed-store.js'
export type { RepinFailure, RepinOptions, RepinReport, RepinStep } from './secret-rotation/repin-options.js'
export { fingerprint, Secret } from './secret.js'
export { isShop, parseShop, type Shop } from './shop.js'
export { staticTokens, type StaticTokens, type StaticTokensOptions } from './sources/static-tokens.js'
export { type SourcesByShop, tokensByShop } from './sources/tokens-by-shop.js'
export {
  AccessToken,
  type Attempt,
  candidates,
  type ClientCredentialsRecord,
  type CoolDown,
  type EmptyRecord,
  type ExpiringRecord,
  type Grant,
  isRenewable,
  isServable,
  type MintedRecord,
  type NonExpiringRecord,
  type ReauthorizationMark,
  type RecordKey,
  type RemovedRecord,
  type RenewableRecord,
  type ServableRecord,
  type StaticRecord,
  type TokenRecord,
} from './token.js'
export type { TokenManager } from './token-manager.js'
export type { TokenOptions, TokenSource } from './token-source.js'
