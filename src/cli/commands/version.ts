/** Our version, and that of the engine when asked; starting one for that would be absurd. */
import { release } from '../../installation/release.ts'
import { composeVersion } from '../../targets/engine/labels.ts'
import { command } from '../command.ts'

export const version = command({
  usage: '[OPTIONS]',
  about: `The Compose version that commands and output go by, with ours behind it: ${composeVersion}-tscompose.${release}.`,
  words: [0, 0],
  options: {
    short: { kind: 'flag', about: 'The number alone' },
    engine: { kind: 'flag', about: 'Ask the engine for its version too' },
    format: {
      kind: 'text',
      short: 'f',
      value: 'FORMAT',
      choices: ['pretty', 'json'],
      lenient: true,
      about: 'pretty or json',
    },
  },
  examples: [
    ['tscompose version --short', 'the number alone'],
    ['tscompose version --engine', 'the engine as well'],
  ],
  async run({ options, screen, signal, connect }) {
    // as other editions of Compose name theirs: 2.40.3-desktop.1
    const number = `${composeVersion}-tscompose.${release}`
    if (options.short) return screen.print(number)
    const pretty = `Docker Compose version ${number}`
    if (!options.engine) return screen.print(options.format === 'json' ? JSON.stringify({ version: number }) : pretty)
    const { systemEndpoints } = await import('../../api/system.ts')
    const client = await connect()
    const engine = await client.call(systemEndpoints.version, {}, { signal })
    if (options.format === 'json')
      return screen.print(JSON.stringify({ version: number, tscompose: release, host: client.host, engine }))
    screen.print(
      [
        pretty,
        `tscompose ${release}`,
        `engine ${engine.Version} (API ${engine.ApiVersion}, ${engine.Os}/${engine.Arch}) at ${client.host}`,
      ].join('\n'),
    )
  },
})
