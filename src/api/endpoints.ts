/** Every endpoint of the contract, by name. */
import { receiptEndpoints } from './build-receipts.ts'
import { companionEndpoints } from './companions.ts'
import { containerEndpoints } from './containers.ts'
import { execEndpoints } from './exec.ts'
import { imageEndpoints } from './images.ts'
import { networkEndpoints } from './networks.ts'
import { pastLogEndpoints } from './past-logs.ts'
import { pluginEndpoints, swarmEndpoints } from './swarm.ts'
import { systemEndpoints } from './system.ts'
import { volumeEndpoints } from './volumes.ts'

export const endpoints = {
  ...systemEndpoints,
  ...containerEndpoints,
  ...execEndpoints,
  ...imageEndpoints,
  ...networkEndpoints,
  ...volumeEndpoints,
  ...swarmEndpoints,
  ...pluginEndpoints,
  ...companionEndpoints,
  ...pastLogEndpoints,
  ...receiptEndpoints,
} as const

export type EndpointName = keyof typeof endpoints
