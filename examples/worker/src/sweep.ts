// npm run sweep: for a cron job, where no worker stays up to keep shops alive.
import { openTokenManager } from '@shopify-tokens/typeorm-store/from-environment'

const opened = openTokenManager()
try {
  console.log(JSON.stringify(await opened.tokens.sweep()))
} finally {
  await opened.close()
}
