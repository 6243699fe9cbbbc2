/**
 * What may stand in an engine's settings (`/etc/tscompose/engine.yaml`): the words of Docker's daemon.json where it has them, and those of
 * the flags of `tscompose engine`. `schemas/engine-settings.schema.json` is made of it.
 */
import { z } from 'zod'
import { isFailure } from '../../lib/failure.ts'
import { parseBytes } from '../../lib/units.ts'
import { storageDrivers } from '../base/storage-driver.ts'
import { checkCapabilities } from '../containers/config/capabilities.ts'
import { checkedUlimit } from '../containers/config/device-rows.ts'
import { checkInsecure, checkMirror } from '../images/registry/settings.ts'
import { parsePool } from '../networks/ipam.ts'
import { checked } from './checked.ts'

const wholeNumber = z.int().min(1)
const path = z.string().regex(/^\//, 'it should be an absolute path')
/** Bytes. */
const amount = z
  .union([z.string(), z.int().min(0)], 'it should be an amount, such as 10GB')
  .transform((value, context) => {
    const bytes = typeof value === 'number' ? value : parseBytes(value)
    if (bytes !== undefined) return bytes
    context.addIssue({ code: 'custom', message: `"${value}" should be an amount, such as 10GB` })
    return z.NEVER
  })

const pool = z
  .union([z.string(), z.strictObject({ base: z.string(), size: z.int() })], 'it should be a subnet, or base and size')
  .transform((wanted, context) => {
    try {
      return parsePool(wanted)
    } catch (error) {
      if (!isFailure(error)) throw error
      context.addIssue({ code: 'custom', message: error.message })
      return z.NEVER
    }
  })

const rlimit = z.union(
  [
    z.int().min(-1),
    z.strictObject({ soft: z.int().min(-1), hard: z.int().min(-1) }),
    // as daemon.json has it
    z.strictObject({ Name: z.string(), Soft: z.int().min(-1), Hard: z.int().min(-1) }),
  ],
  'it should be a number, or soft and hard',
)

function ulimitOf(name: string, value: z.output<typeof rlimit>) {
  if (typeof value === 'number') return { Name: name, Soft: value, Hard: value }
  return 'soft' in value ? { Name: name, Soft: value.soft, Hard: value.hard } : { ...value, Name: name }
}

export const settingsSchema = z
  .strictObject({
    socket: path.describe('Where the engine listens.'),
    group: z.string().describe('Who may use the socket besides root.'),
    listen: z.array(z.string()).describe('TCP addresses to listen on too, tcp://HOST:PORT.'),
    'insecure-tcp': z.boolean().describe('Listen on TCP without TLS: whoever reaches the port is root.'),
    tlscacert: path.describe('Authority that signs for clients on TCP.'),
    tlscert: path.describe("The engine's own certificate on TCP."),
    tlskey: path.describe('The key of that certificate.'),
    'data-root': path.describe('Images, volumes, containers.'),
    'run-root': path.describe('Sockets and what a reboot may take.'),
    'netns-root': path.describe('Network namespaces.'),
    'storage-driver': z.enum(storageDrivers).describe('How roots of containers are made.'),

    'default-address-pools': z
      .array(pool)
      .min(1)
      .describe('Where networks get their addresses from: subnets, or base and the prefix length of each network.'),
    ip: z
      .ipv4('it should be an IPv4 address')
      .describe('The host address of published ports that name none; 0.0.0.0 is all of them, IPv6 ones too.'),

    'log-driver': z.string().describe('Of containers that name none.'),
    'log-opts': z.record(z.string(), z.string()).describe('Options of that driver, such as max-size and max-file.'),

    'max-operations': wholeNumber.describe(
      'Worked on at a time; whoever comes beyond is told to come back (default 999).',
    ),

    'registry-mirrors': z
      .array(z.string().superRefine(checked(checkMirror)))
      .describe('Asked before the registry itself: URL, or HOST=URL.'),
    'insecure-registries': z
      .array(z.string().superRefine(checked(checkInsecure)))
      .describe('May be spoken to without TLS: HOST, HOST:PORT or a range.'),
    'registry-certificates': z
      .array(path)
      .describe('Folders laid out as /etc/docker/certs.d, looked through before it.'),
    proxies: z
      .strictObject({ 'http-proxy': z.string(), 'https-proxy': z.string(), 'no-proxy': z.string() })
      .partial()
      .describe('For what the engine fetches; before the variables of its environment.'),

    'userns-mode': z.enum(['host', 'auto']).describe('User namespace of containers that say nothing.'),
    'userns-user': z
      .string()
      .regex(/^[^:\s]+$/, 'it should be the name of a user')
      .describe('Whose lines in /etc/subuid and /etc/subgid such ids come from.'),
    'no-new-privileges': z
      .boolean()
      .describe('Set-id bits and file capabilities give no container more, unless it asks.'),
    'seccomp-profile': z.string().describe('A file with the profile of containers that name none, or "unconfined".'),
    'default-cap-drop': z
      .array(z.string().superRefine(checked(name => void checkCapabilities('CapDrop', [name]))))
      .describe('Capabilities that no container has, unless it adds them.'),
    'default-pids-limit': wholeNumber.describe('Processes of a container that says nothing.'),
    'default-ulimits': z
      .record(z.string(), rlimit)
      .transform((entries, context) =>
        Object.entries(entries).map(([name, value]) => {
          const limit = ulimitOf(name, value)
          checked(checkedUlimit, [name])(limit, context)
          return limit
        }),
      )
      .describe('Resource limits of containers that set none of that name.'),
    'default-shm-size': amount.describe('/dev/shm of containers that say nothing.'),

    'cdi-spec-dirs': z
      .array(path)
      .describe('Folders with specifications of devices; the later ones win (default /etc/cdi, /var/run/cdi).'),

    builder: z
      .strictObject({
        gc: z
          .strictObject({
            enabled: z.boolean(),
            defaultKeepStorage: amount,
            defaultMaxUsedSpace: amount,
            defaultMinFreeSpace: amount,
            defaultReservedSpace: amount,
          })
          .partial(),
      })
      .partial()
      .describe('What builds may keep for the next ones.'),
    'archive-limits': z
      .strictObject({ size: amount, entries: wholeNumber, depth: wholeNumber, ratio: wholeNumber })
      .partial()
      .describe('Of each layer, and of each archive that a build unpacks.'),
  })
  .partial()

export type Settings = z.output<typeof settingsSchema>

/** For editors: `schemas/engine-settings.schema.json`. */
export function settingsJsonSchema(): object {
  const { $schema, ...rest } = z.toJSONSchema(settingsSchema, { io: 'input', unrepresentable: 'any' })
  return { $schema, $id: 'tscompose-engine-settings.schema.json', title: 'Engine settings', ...rest }
}
