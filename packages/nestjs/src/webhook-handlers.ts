import { InvalidOptionError, type WebhookDelivery, type WebhookHandler } from '@shopify-tokens/core'
import type { Type } from '@nestjs/common'
import { type DiscoveryService, MetadataScanner } from '@nestjs/core'
import { WEBHOOK_TOPICS } from './providers.js'

type Wrapper = ReturnType<DiscoveryService['getProviders']>[number]
type Methods = Readonly<Record<string, WebhookHandler>>

/**
 * The methods that `@ShopifyWebhook` marks, by topic. Those of one topic run side by side; the webhook is done when all of
 * them are, and otherwise comes again, for all of them.
 *
 * @param modules whose providers and controllers count; `undefined`: all
 * @throws InvalidOptionError `ERR_INVALID_OPTION` for a method of a class that is made anew for each request
 */
export function webhookHandlers(
  discovery: DiscoveryService,
  modules: readonly Type[] | undefined,
): Readonly<Record<string, WebhookHandler>> {
  const where = modules === undefined ? {} : { include: [...modules] }
  const wrappers = [...discovery.getProviders(where), ...discovery.getControllers(where)]
  const byTopic = new Map<string, WebhookHandler[]>()
  for (const wrapper of wrappers.filter(({ isAlias }) => !isAlias)) {
    for (const [topic, handler] of markedMethods(wrapper)) {
      byTopic.set(topic, [...(byTopic.get(topic) ?? []), handler])
    }
  }
  return Object.fromEntries([...byTopic].map(([topic, handlers]) => [topic, allOf(handlers)]))
}

function markedMethods(wrapper: Wrapper): (readonly [topic: string, handler: WebhookHandler])[] {
  const instance = wrapper.instance as Methods | null | undefined
  const prototype = prototypeOf(wrapper)
  return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
    const topics = topicsOf((prototype as Methods | null)?.[name])
    if (topics.length === 0) return []
    if (wrapper.isDependencyTreeStatic() && !wrapper.isTransient) {
      return topics.map((topic) => [topic, (delivery: WebhookDelivery) => instance?.[name]?.(delivery)] as const)
    }
    const at = `${String(wrapper.name)}.${name}`
    throw new InvalidOptionError(`@ShopifyWebhook on ${at}: only a singleton can take webhooks.`, ['ShopifyWebhook'])
  })
}

/** Of what is made anew for each request there is no instance yet, or one whose constructor has not run. */
function prototypeOf({ instance, metatype }: Wrapper): object | null {
  const made: unknown = instance
  if (typeof made === 'object' && made !== null) return Object.getPrototypeOf(made) as object | null
  return ((metatype as Partial<Type> | null)?.prototype as object | undefined) ?? null
}

function topicsOf(method: WebhookHandler | undefined): readonly string[] {
  if (typeof method !== 'function') return []
  return (Reflect.getMetadata(WEBHOOK_TOPICS, method) as readonly string[] | undefined) ?? []
}

function allOf(handlers: readonly WebhookHandler[]): WebhookHandler {
  return async (delivery) => {
    // Until the last has ended the webhook is under way: nobody else may be given it.
    const ends = await Promise.allSettled(
      handlers.map(async (handler) => {
        await handler(delivery)
      }),
    )
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }
}
