import {
  type AccessToken,
  type AppSignatures,
  createShopClient,
  type DeliveryLog,
  InvalidSessionTokenError,
  type RequestTokenSource,
  type SessionToken,
  type Shop,
  type ShopClient,
  type TokenManager,
  type TokenOptions,
} from '@shopify-tokens/core'
import { Inject } from '@nestjs/common'

/**
 * The application's token manager, injected by its class:
 *
 * ```ts
 * constructor(private readonly tokens: ShopifyTokens) {}
 * ```
 *
 * Every method is the manager's, to which it leads. A source of tokens that is no manager has only some of them; the
 * others throw a `TypeError`.
 */
export class ShopifyTokens implements TokenManager {
  readonly #source: RequestTokenSource & Partial<TokenManager>

  constructor(source: RequestTokenSource) {
    this.#source = source
  }

  /** {@link TokenManager.signatures} */
  get signatures(): AppSignatures {
    return this.#manager('signatures').signatures
  }

  /** {@link TokenManager.deliveries} */
  get deliveries(): DeliveryLog {
    return this.#manager('deliveries').deliveries
  }

  /** {@link TokenManager.token} */
  token(shop: Shop, options?: TokenOptions): Promise<AccessToken> {
    return this.#source.token(shop, options)
  }

  /** {@link TokenManager.acquire} */
  acquire(...args: Parameters<TokenManager['acquire']>): Promise<AccessToken> {
    return this.#manager('acquire').acquire(...args)
  }

  /** {@link TokenManager.force} */
  force(...args: Parameters<TokenManager['force']>): Promise<AccessToken> {
    return this.#manager('force').force(...args)
  }

  /** {@link TokenManager.migrate} */
  migrate(...args: Parameters<TokenManager['migrate']>): Promise<AccessToken> {
    return this.#manager('migrate').migrate(...args)
  }

  /** {@link TokenManager.renewIfDue} */
  renewIfDue(...args: Parameters<TokenManager['renewIfDue']>): ReturnType<TokenManager['renewIfDue']> {
    return this.#manager('renewIfDue').renewIfDue(...args)
  }

  /** {@link TokenManager.sweep} */
  sweep(...args: Parameters<TokenManager['sweep']>): ReturnType<TokenManager['sweep']> {
    return this.#manager('sweep').sweep(...args)
  }

  /** {@link TokenManager.startKeepAlive} */
  startKeepAlive(...args: Parameters<TokenManager['startKeepAlive']>): void {
    this.#manager('startKeepAlive').startKeepAlive(...args)
  }

  /** {@link TokenManager.shops} */
  shops(...args: Parameters<TokenManager['shops']>): ReturnType<TokenManager['shops']> {
    return this.#manager('shops').shops(...args)
  }

  /** {@link TokenManager.remove} */
  remove(...args: Parameters<TokenManager['remove']>): Promise<boolean> {
    return this.#manager('remove').remove(...args)
  }

  /** {@link TokenManager.repinAll} */
  repinAll(...args: Parameters<TokenManager['repinAll']>): ReturnType<TokenManager['repinAll']> {
    return this.#manager('repinAll').repinAll(...args)
  }

  /** {@link TokenManager.removeIfUninstalled} */
  removeIfUninstalled(
    ...args: Parameters<TokenManager['removeIfUninstalled']>
  ): ReturnType<TokenManager['removeIfUninstalled']> {
    return this.#manager('removeIfUninstalled').removeIfUninstalled(...args)
  }

  /** {@link TokenManager.adoptDeployment} */
  adoptDeployment(): Promise<boolean> {
    return this.#manager('adoptDeployment').adoptDeployment()
  }

  /** {@link TokenManager.subscribe} */
  subscribe(...args: Parameters<TokenManager['subscribe']>): () => void {
    return this.#manager('subscribe').subscribe(...args)
  }

  /** {@link TokenManager.forShop} */
  forShop(shop: Shop, options?: { readonly idToken?: string | undefined }): ShopClient {
    const made = this.#source.forShop?.(shop, options)
    return made ?? createShopClient(this.#source, shop, { fetch, apiVersion: null }, options?.idToken)
  }

  /** {@link TokenManager.verifySessionToken} */
  async verifySessionToken(token: string): Promise<SessionToken> {
    const verifying = this.#source.verifySessionToken?.(token)
    if (verifying === undefined) throw new InvalidSessionTokenError('missing')
    return verifying
  }

  /** {@link TokenManager.close}. The module closes what it has opened by itself, when the application shuts down. */
  async close(options?: Parameters<TokenManager['close']>[0]): Promise<void> {
    await this.#source.close?.(options)
  }

  #manager(needed: keyof TokenManager): TokenManager {
    if (this.#source[needed] !== undefined) return this.#source as TokenManager
    throw new TypeError(`The module was given a token source without ${needed}: it is no TokenManager.`)
  }
}

/** Injects {@link ShopifyTokens} where the type of the parameter does not say so, or is an interface. */
export function InjectShopifyTokens(): ParameterDecorator & PropertyDecorator {
  return Inject(ShopifyTokens)
}
