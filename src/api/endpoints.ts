/** Every endpoint of the contract, by name. */
import { containerEndpoints } from './containers.ts'
import { execEndpoints } from './exec.ts'
import { imageEndpoints } from './images.ts'
import { networkEndpoints } from './networks.ts'
import { systemEndpoints } from './system.ts'
import { volumeEndpoints } from './volumes.ts'

export const endpoints = {
  ...systemEndpoints,
  ...containerEndpoints,
  ...execEndpoints,
  ...imageEndpoints,
  ...networkEndpoints,
  ...volumeEndpoints,
} as const

export type EndpointName = keyof typeof endpoints
