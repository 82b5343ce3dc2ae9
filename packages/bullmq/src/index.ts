export { fleetLimiter, type FleetRate } from './fleet/fleet-limiter.js'
export {
  fleetProcessor,
  type FleetProcessorOptions,
  type FleetResult,
  type FleetTokens,
} from './fleet/fleet-processor.js'
export type { FleetJob, FleetJobData, FleetQueue, FleetWork } from './fleet/fleet-queue.js'
export { planFleet } from './fleet/plan-fleet.js'
export { type FleetSchedule, scheduleFleet, unscheduleFleet } from './fleet/schedule-fleet.js'
export { currentJob, type JobAtHand } from './job-at-hand.js'
export { type CheckpointedJob, jobCheckpoint, type JobCheckpointOptions } from './job-checkpoint.js'
export type { ShopClients } from './job-run.js'
export { runShopJob, shopProcessor } from './run-shop-job.js'
export type { ShopJob } from './shop-job.js'
export type { DiscardedJob, JobOutcome, ShopJobOptions } from './shop-job-options.js'
