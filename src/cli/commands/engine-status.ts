/** Whether an engine answers, and which; none is started for the question. */
import { endpoints } from '../../api/endpoints.ts'
import { createClient } from '../../client/client.ts'
import { chooseHost, parseHost } from '../../client/host.ts'
import { answers } from '../answers.ts'
import { command } from '../command.ts'

export const engineStatus = command({
  usage: '[OPTIONS]',
  options: { format: { kind: 'text', value: 'FORMAT', choices: ['text', 'json'], about: 'text (default) or json' } },
  async run({ options, globals, screen, env, signal }) {
    const { host, tls } = chooseHost(globals.host, env)
    const place = parseHost(host, tls)
    const json = options.format === 'json'
    if (place.kind === 'unix' && !(await answers(place.path))) {
      screen.print(json ? JSON.stringify({ running: false, host }) : `No engine at ${host}`)
      return 1
    }
    const client = createClient(host, { tls })
    const info = await client.call(endpoints.info, {}, { signal })
    if (json) screen.print(JSON.stringify({ running: true, host, info }))
    else
      screen.print(
        [
          `Engine ${info.ServerVersion} at ${host}`,
          `  containers  ${info.Containers}: ${info.ContainersRunning} running, ${info.ContainersPaused} paused, ${info.ContainersStopped} stopped`,
          `  images      ${info.Images}`,
          `  data        ${info.DockerRootDir} (${info.Driver})`,
          `  host        ${info.OperatingSystem}, kernel ${info.KernelVersion}, cgroup ${info.CgroupVersion}`,
          ...(info.Warnings ?? []).map(warning => `  warning     ${warning}`),
        ].join('\n'),
      )
    return 0
  },
})
