export type { IoRedisClient, NodeRedisClient } from './script-runner.js'
export { RedisLock, type RedisLockOptions } from './redis-lock.js'
