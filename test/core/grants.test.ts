import { grantParameters } from '../../packages/core/src/oauth/grants.js'

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token'
const OFFLINE = 'urn:shopify:params:oauth:token-type:offline-access-token'

describe('the parameters of a grant', () => {
  it('are for a refresh the refresh token and nothing else', () => {
    expect(grantParameters({ grant: 'refresh', value: 'shprt_1' })).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'shprt_1',
    })
  })

  it('are for a code the code, asking for an expiring token', () => {
    expect(grantParameters({ grant: 'code', value: 'code-1' })).toEqual({ code: 'code-1', expiring: '1' })
  })

  it('are for an ID token the exchange into an expiring offline token', () => {
    expect(grantParameters({ grant: 'id-token', value: 'jwt' })).toEqual({
      grant_type: EXCHANGE,
      subject_token: 'jwt',
      subject_token_type: ID_TOKEN,
      requested_token_type: OFFLINE,
      expiring: '1',
    })
  })

  it('are for a migration the exchange of the offline token itself', () => {
    expect(grantParameters({ grant: 'migration', value: 'shpat_old' })).toEqual({
      grant_type: EXCHANGE,
      subject_token: 'shpat_old',
      subject_token_type: OFFLINE,
      requested_token_type: OFFLINE,
      expiring: '1',
    })
  })

  it('are for client credentials the grant alone', () => {
    expect(grantParameters({ grant: 'client-credentials', value: 'the client id' })).toEqual({
      grant_type: 'client_credentials',
    })
  })
})
