import type { Grant } from '../token.js'

/** A credential about to be presented. */
export interface Credential {
  readonly grant: Grant
  /**
   * The refresh token, ID token, authorization code, or non-expiring access token. The client credentials grant presents
   * nothing beside the client's own credentials; here it is the client id.
   */
  readonly value: string
}

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token'
const OFFLINE_TOKEN = 'urn:shopify:params:oauth:token-type:offline-access-token'

/**
 * The parameters of a grant, beside `client_id` and `client_secret`. `expiring=1` belongs to acquisition and migration
 * only: a refresh takes `refresh_token` and nothing else.
 *
 * @see RFC 6749 sections 4.1.3, 4.4.2 and 6, RFC 8693 section 2.1
 * @see Shopify: "Offline access tokens", "Implement token exchange", "Migrate to expiring offline access tokens",
 * "Client credentials grant"
 */
export function grantParameters({ grant, value }: Credential): Record<string, string> {
  switch (grant) {
    case 'refresh':
      return { grant_type: 'refresh_token', refresh_token: value }
    case 'code':
      return { code: value, expiring: '1' }
    case 'id-token':
      return {
        grant_type: TOKEN_EXCHANGE,
        subject_token: value,
        subject_token_type: ID_TOKEN,
        requested_token_type: OFFLINE_TOKEN,
        expiring: '1',
      }
    case 'migration':
      return {
        grant_type: TOKEN_EXCHANGE,
        subject_token: value,
        subject_token_type: OFFLINE_TOKEN,
        requested_token_type: OFFLINE_TOKEN,
        expiring: '1',
      }
    case 'client-credentials':
      return { grant_type: 'client_credentials' }
  }
}
