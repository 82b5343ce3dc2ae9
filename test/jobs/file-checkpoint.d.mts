import type { Checkpoint } from '@shopify-tokens/core'

export function fileCheckpoint(file: string): Checkpoint<string>
