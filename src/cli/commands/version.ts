/** Our version, and that of the engine when one is there; starting one for that would be absurd. */
import { readFileSync } from 'node:fs'
import { command } from '../command.ts'

export const version = command({
  usage: '[OPTIONS]',
  words: [0, 0],
  options: {
    short: { kind: 'flag', about: 'The number alone' },
    engine: { kind: 'flag', about: 'Ask the engine for its version too' },
    format: { kind: 'text', short: 'f', value: 'FORMAT', choices: ['pretty', 'json'], about: 'pretty or json' },
  },
  async run({ options, screen, signal, connect }) {
    const { version: own } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    if (options.short) return screen.print(own)
    if (!options.engine)
      return screen.print(options.format === 'json' ? JSON.stringify({ version: own }) : `tscompose ${own}`)
    const { systemEndpoints } = await import('../../api/system.ts')
    const client = await connect()
    const engine = await client.call(systemEndpoints.version, {}, { signal })
    if (options.format === 'json') return screen.print(JSON.stringify({ version: own, host: client.host, engine }))
    screen.print(
      [
        `tscompose ${own}`,
        `engine ${engine.Version} (API ${engine.ApiVersion}, ${engine.Os}/${engine.Arch}) at ${client.host}`,
      ].join('\n'),
    )
  },
})
