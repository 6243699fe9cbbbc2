/** The stack as it is understood: whole, or one list of it. */
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { printable } from '../../lib/text.ts'
import type { LoadedStack } from '../../stack/load.ts'
import { type Call, command } from '../command.ts'
import { placeText } from '../failures.ts'
import { usage } from '../options.ts'
import { checkServices, loadProject } from '../project.ts'

const lists = {
  services: { kind: 'flag', about: 'Print the names of services' },
  volumes: { kind: 'flag', about: 'Print the names of volumes' },
  networks: { kind: 'flag', about: 'Print the names of networks' },
  models: { kind: 'flag', about: 'Print the names of models' },
  profiles: { kind: 'flag', about: 'Print the names of profiles' },
  images: { kind: 'flag', about: 'Print the images' },
  environment: { kind: 'flag', about: 'Print the variables that interpolation sees' },
  variables: { kind: 'flag', about: 'Print the variables the stack names, with their defaults' },
} as const

const listNames = Object.keys(lists) as (keyof typeof lists)[]

export const config = command({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    format: { kind: 'text', value: 'FORMAT', about: 'yaml (default) or json' },
    ...lists,
    hash: { kind: 'text', value: 'SERVICE', about: 'Print the hash of a service, several with commas, * for all' },
    quiet: { kind: 'flag', short: 'q', about: 'Only check' },
    output: { kind: 'text', short: 'o', value: 'FILE', about: 'Write to FILE' },
    trace: { kind: 'text', value: 'KEY', about: 'Tell where a value came from: services.web.environment.TAG' },
    'resolve-image-digests': { kind: 'flag', about: 'Pin images to what their tags mean now' },
    'lock-image-digests': { kind: 'flag', about: 'Print an override file that pins the images' },
    'no-interpolate': { kind: 'flag', about: 'Leave variables as they are' },
    'no-normalize': { kind: 'flag', about: 'Leave out defaults' },
    'no-path-resolution': { kind: 'flag', about: 'Leave paths as they are' },
    'no-consistency': { kind: 'flag', about: 'Do not check that everything referred to is there' },
    'no-env-resolution': { kind: 'flag', about: 'Accepted: env files are always read, as by Compose' },
  },
  examples: [
    ['tscompose config -q', 'check the stack'],
    ['tscompose config --trace services.web.image', 'every stop of a value on its way'],
  ],
  async run(call) {
    const { options, screen } = call
    // Compose's text
    if (!['yaml', 'json', undefined].includes(options.format)) throw usage(`unsupported format "${options.format}"`)
    const list = listNames.find(name => options[name])
    // as with Compose a list of names is that of the whole stack, and needs no env files
    const named = list === undefined || list === 'images' ? call.args : []
    const loaded = await loadProject(call, {
      ...(named.length > 0 ? { services: named, selected: named } : {}),
      making: list === undefined && options.hash === undefined ? 'text' : undefined,
      interpolate: !options['no-interpolate'] && list !== 'variables',
      // as Compose has it; nothing is made from what is left out
      normalize: !options['no-normalize'] && !call.globals.compatibility,
      resolvePaths: !options['no-path-resolution'],
      consistency: !options['no-consistency'],
    })
    checkServices(named, [...Object.keys(loaded.project.services), ...Object.keys(loaded.project.disabledServices)])
    if (options.quiet) return
    const text = await textOf(call, loaded)
    // what it holds may be secret, and is as readable as any file the user writes: no more
    if (options.output !== undefined) await writeFile(options.output, text)
    else screen.stdout.write(text)
  },
})

async function textOf(call: Parameters<typeof config.run>[0], loaded: LoadedStack): Promise<string> {
  const { options } = call
  const list = listNames.find(name => options[name])
  if (list) {
    const { configList, variablesAs } = await import('../../stack/config-lists.ts')
    const { format } = options
    const asked = format === 'json' || format === 'yaml'
    return list === 'variables' && asked ? variablesAs(format, loaded) : lines(configList(loaded, list))
  }
  if (options.trace !== undefined) return lines(await traceLines(call, loaded, options.trace))
  if (options.hash !== undefined) return lines(await hashLines(loaded, options.hash))
  if (options['lock-image-digests']) {
    const { lockText } = await import('../image-digests.ts')
    return lockText(await (await import('../image-digests.ts')).digestsOf(call, loaded.project), options.format)
  }
  const { configJson, configYaml } = await import('../../stack/config-output.ts')
  const shown = options['resolve-image-digests']
    ? await (await import('../image-digests.ts')).pinned(call, loaded)
    : loaded
  return options.format === 'json' ? configJson(shown) : configYaml(shown)
}

async function traceLines(call: Call, loaded: LoadedStack, key: string): Promise<readonly string[]> {
  const { trace } = await import('../../stack/trace.ts')
  const { paint } = call.screen
  return trace(loaded, key).map(({ action, value, place }) => {
    const where = place ? paint('cyan', placeText(place)) : '-'
    const via = (place?.via ?? []).map(stop => ` (${printable(stop)})`).join('')
    return `${where}${via} ${action}: ${paint('bold', printable(value))}`
  })
}

async function hashLines({ project }: LoadedStack, asked: string): Promise<readonly string[]> {
  const { configHash } = await import('../../targets/engine/plan/hash.ts')
  const { filesOf } = await import('../../targets/engine/plan/file-objects.ts')
  const all = Object.keys(project.services).sort()
  const names = asked === '*' ? all : (checkServices(asked.split(','), all) ?? all)
  const files = new Map<string, string>()
  for (const file of filesOf(project))
    files.set(
      file,
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    )
  return names.map(name => `${name} ${configHash(project, name, files)}`)
}

function lines(list: readonly string[]): string {
  return list.map(line => `${line}\n`).join('')
}
