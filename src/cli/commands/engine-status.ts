/** Whether an engine answers, and which; none is started for the question. */
import { endpoints } from '../../api/endpoints.ts'
import { type HeldStack, type KeeperStatus, keeperEndpoints } from '../../api/keeper.ts'
import { answers } from '../../client/answers.ts'
import { type Client, createClient } from '../../client/client.ts'
import { chooseHost, parseHost } from '../../client/host.ts'
import { printable } from '../../lib/text.ts'
import { type Call, command } from '../command.ts'

export const engineStatus = command({
  usage: '[OPTIONS]',
  options: { format: { kind: 'text', value: 'FORMAT', choices: ['text', 'json'], about: 'text (default) or json' } },
  examples: [['tscompose engine status', 'which engine answers, and where']],
  async run(call) {
    const { options, globals, screen, env, signal } = call
    const { host, tls } = chooseHost(globals.host, env)
    const place = parseHost(host, tls)
    const json = options.format === 'json'
    if (place.kind === 'unix' && !(await answers(place.path))) {
      screen.print(json ? JSON.stringify({ running: false, host }) : `No engine at ${host}`)
      return 1
    }
    const client = createClient(host, { tls })
    const [info, version] = await Promise.all([
      client.call(endpoints.info, {}, { signal }),
      client.call(endpoints.version, {}, { signal }),
    ])
    const engine = version.Components?.find(({ Name }) => Name === 'Engine')
    // a Docker Engine tells nothing of it
    const program = engine?.Details?.['Program']
    const keeper = await keeperShown(call, client)
    if (json)
      screen.print(
        JSON.stringify({
          running: true,
          host,
          info,
          ...(program !== undefined && { program }),
          ...(keeper && { keeper }),
        }),
      )
    else
      screen.print(
        [
          `Engine ${engine?.Version ?? info.ServerVersion} at ${host}`,
          `  containers  ${info.Containers}: ${info.ContainersRunning} running, ${info.ContainersPaused} paused, ${info.ContainersStopped} stopped`,
          `  images      ${info.Images}`,
          `  data        ${info.DockerRootDir} (${info.Driver})`,
          ...(program === undefined ? [] : [printable(`  program     ${program}`)]),
          `  host        ${info.OperatingSystem}, kernel ${info.KernelVersion}, cgroup ${info.CgroupVersion}`,
          ...(keeper ? keeperLines(keeper) : []),
          ...(info.Warnings ?? []).map(warning => `  warning     ${warning}`),
        ].join('\n'),
      )
    return 0
  },
})

type Keeper = KeeperStatus & { readonly Held: readonly HeldStack[] }

/** Undefined when none runs. */
async function keeperShown(call: Pick<Call, 'env'>, client: Client): Promise<Keeper | undefined> {
  const { findKeeper } = await import('../../holding/keeper.ts')
  // whatever its version: a look changes nothing
  const keeper = await findKeeper({ host: client.host, env: call.env })
  if (!keeper) return undefined
  try {
    const [status, Held] = await Promise.all([
      keeper.call(keeperEndpoints.keeperStatus, {}),
      keeper.call(keeperEndpoints.stackList, {}),
    ])
    return { ...status, Held }
  } finally {
    keeper.close()
  }
}

function keeperLines({ Pid, Memory, Held }: Keeper): readonly string[] {
  const size = `${Math.round(Memory / 1024 / 1024)} MiB`
  return [
    `  keeper      process ${Pid}, ${size}, holds ${Held.length === 1 ? 'one stack' : `${Held.length} stacks`}`,
    ...Held.map(stack => printable(`    ${stack.Name}  ${stack.State}: ${stack.Error ?? stack.Reasons.join('; ')}`)),
  ]
}
