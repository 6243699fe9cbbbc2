/** The check of each endpoint's JSON body, by the endpoint's name; only the server loads this. */
import { z } from 'zod'
import type { BuildReceiptNote } from './build-receipts.ts'
import type { CompanionRequest, CompanionStarts } from './companions.ts'
import {
  containerConfig,
  containerCreate,
  containerUpdate,
  endpointSettings,
  execCreate,
  execStart,
} from './container-schema.ts'
import type { Body } from './endpoint.ts'
import type { EndpointName, endpoints } from './endpoints.ts'
import { flag, maybe, string, stringMap, strings, text } from './json-shape.ts'
import type { NetworkConnect, NetworkCreate, NetworkDisconnect } from './networks.ts'
import type { VolumeCreate } from './volumes.ts'

/** Docker answers 400 on an empty name itself, so that is left to the engine. */
const networkCreate = z.object({
  Name: z.string(),
  Driver: text,
  Scope: text,
  EnableIPv4: flag,
  EnableIPv6: flag,
  IPAM: maybe(
    z.object({
      Driver: text,
      Options: stringMap,
      Config: maybe(
        z.array(z.object({ Subnet: text, IPRange: text, Gateway: text, AuxiliaryAddresses: stringMap })).max(64),
      ),
    }),
  ),
  Internal: flag,
  Attachable: flag,
  Ingress: flag,
  ConfigOnly: flag,
  ConfigFrom: maybe(z.object({ Network: text })),
  Options: stringMap,
  Labels: stringMap,
  // a string in docker-compose 1
  CheckDuplicate: z
    .unknown()
    .optional()
    .transform(() => undefined),
}) satisfies z.ZodType<NetworkCreate>

const networkConnect = z.object({
  Container: z.string(),
  EndpointConfig: maybe(endpointSettings),
}) satisfies z.ZodType<NetworkConnect>

const networkDisconnect = z.object({ Container: z.string(), Force: flag }) satisfies z.ZodType<NetworkDisconnect>

const volumeClone = z.object({ Name: z.string(), Labels: stringMap })

const volumeCreate = z.object({
  Name: text,
  Driver: text,
  DriverOpts: stringMap,
  Labels: stringMap,
}) satisfies z.ZodType<VolumeCreate>

const auth = z.object({ username: text, password: text, auth: text, identitytoken: text, serveraddress: text })

const starts = z.array(z.string().min(1).max(1024)).max(4096)

const companionPut = z.object({
  Command: z
    .array(z.string().max(4096))
    .min(1)
    .max(64)
    .refine(
      // also asked of a list that is too short
      words => words[0]?.startsWith('/') === true && !words.some(word => word.includes('\0')),
      'it begins with an absolute path',
    ),
  Environment: maybe(z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*=[^\0]*$/)).max(256)),
  Starts: maybe(starts),
}) satisfies z.ZodType<CompanionRequest>

const companionStarts = z.object({ Starts: starts }) satisfies z.ZodType<CompanionStarts>

const receiptPut = z.object({
  Receipt: z.string().min(1).max(64),
  Note: z.string().max(512 * 1024),
}) satisfies z.ZodType<BuildReceiptNote>

const pluginPrivileges = z.array(z.object({ Name: text, Description: text, Value: strings })).max(256)

/** Names of the endpoints that take a JSON body: a new one does not compile without its schema. */
type JsonBodied = {
  [K in EndpointName]: (typeof endpoints)[K]['body'] extends { kind: 'json' } ? K : never
}[EndpointName]

export const bodySchemas: { readonly [K in JsonBodied]: z.ZodType<Body<(typeof endpoints)[K]>> } = {
  auth,
  companionPut,
  companionStarts,
  containerCreate,
  containerUpdate,
  containerCommit: containerConfig,
  execCreate,
  execStart,
  networkCreate,
  networkConnect,
  networkDisconnect,
  pluginPull: pluginPrivileges,
  pluginSet: z.array(string).max(4096),
  pluginUpgrade: pluginPrivileges,
  receiptPut,
  volumeClone,
  volumeCreate,
}
