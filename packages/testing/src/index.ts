export type { Clause, ContractRunner } from './contract/clause.js'
export type { LockBackend, OpenedLocks } from './contract/lock-bench.js'
export type { OpenedTokenStores, TokenStoreBackend, TokenStoreCapability } from './contract/token-store-bench.js'
export { FAKE_EPOCH, FakeClock, type FakeClockOptions } from './fake-clock.js'
export type { AdminAnswer, AdminHandler, AdminRequest, ShopRestriction } from './fake-shopify/admin-api.js'
export type { AppBridgeReload } from './fake-shopify/app-bridge.js'
export type { Consent } from './fake-shopify/authorization.js'
export type { Hold, HoldOptions, RequestTraits } from './fake-shopify/barrier.js'
export {
  connectFakeShopify,
  type RemoteFakeShopify,
  type RemoteFaultHandle,
  type RemoteHold,
} from './fake-shopify/connect.js'
export { FakeShopify, type MintedPair } from './fake-shopify/fake-shopify.js'
export type { Fault, FaultMoment, FaultOptions, TokenField } from './fake-shopify/fault.js'
export type { FaultChooser, FaultHandle, FaultScript } from './fake-shopify/fault-script.js'
export type { TlsIdentity } from './fake-shopify/loopback-server.js'
export type { FakeShopifyOptions, FakeShopifySwitches } from './fake-shopify/options.js'
export type { RefusalReason } from './fake-shopify/pair.js'
export {
  fingerprint,
  type FakeEndpoint,
  type GrantCounters,
  type LogEntry,
  type LogOutcome,
  type ShopCounters,
} from './fake-shopify/request-log.js'
export { fakeShopifyFetch } from './fake-shopify/route-fetch.js'
export type { SessionTokenClaims, SessionTokenDefect, SessionTokenOptions } from './fake-shopify/session-token.js'
export type { Grace, Replay } from './fake-shopify/rotation-rules.js'
export type { TokenAnswer } from './fake-shopify/token-answer.js'
export type { TokenGrant } from './fake-shopify/token-request.js'
export type { FakeWebhook, FakeWebhookOptions, WebhookHeaderSet } from './fake-shopify/webhook.js'
export type { DeliveryOptions, DeliveryStatus } from './fake-shopify/webhook-courier.js'
export { fault, FaultyStore, type StoreCall, type StoreFault, type StoreVerb } from './faulty-store.js'
export { lockContract, lockContractClauses } from './lock-contract.js'
export { aCoolDown, aKey, aMark, anAttempt, aRecord, aToken } from './record-builders.js'
export { tokenStoreClauses, tokenStoreContract } from './token-store-contract.js'
