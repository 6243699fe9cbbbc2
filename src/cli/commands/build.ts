/** Builds the images of services, or shows what would be built. */
import { command } from '../command.ts'
import { usage } from '../options.ts'
import { checkServices, loadProject } from '../project.ts'

const options = {
  'build-arg': {
    kind: 'list',
    value: 'NAME=VALUE',
    about: 'Set a build argument of all; NAME alone takes the value from here',
  },
  builder: { kind: 'text', value: 'NAME', about: 'Refused unless it is "default": the engine is the builder' },
  check: { kind: 'flag', about: 'Check the Dockerfiles, and build nothing' },
  compress: { kind: 'flag', about: 'No effect: what is sent stays on this machine' },
  'force-rm': { kind: 'flag', about: 'No effect: nothing is left of a step that failed' },
  memory: { kind: 'text', short: 'm', value: 'BYTES', about: 'Told that builders of this kind have no such limit' },
  'no-cache': { kind: 'flag', about: 'Run every step anew' },
  'no-rm': { kind: 'flag', about: 'No effect: nothing is left of a step' },
  parallel: { kind: 'flag', on: true, about: 'No effect: images are always built side by side' },
  print: { kind: 'flag', about: 'Print what is built as a bake file, and build nothing' },
  provenance: { kind: 'text', value: 'MODE', about: 'Ask for a provenance attestation' },
  pull: { kind: 'flag', about: 'Look for newer base images' },
  push: { kind: 'flag', about: 'Push the images that were built' },
  quiet: { kind: 'flag', short: 'q', about: 'Show nothing but failures' },
  sbom: { kind: 'text', value: 'MODE', about: 'Ask for a bill-of-materials attestation' },
  ssh: { kind: 'list', value: 'ID[=PATH]', about: 'Forward an SSH agent: "default", or an id and its socket or key' },
  'with-dependencies': { kind: 'flag', about: 'Those of what the named services depend on too' },
} as const

export const build = command({
  usage: '[OPTIONS] [SERVICE...]',
  about:
    'Services that are built from others (additional_contexts, FROM the image of another) come after these. Steps that have not changed are taken from the cache; for the others the output says why.',
  options,
  examples: [
    ['tscompose build', 'all images of the stack'],
    ['tscompose build --no-cache web', 'one image, from the start'],
    ['tscompose --progress json build', 'what happens, for a program'],
  ],
  async run(call) {
    const { options: values, screen } = call
    if (values.builder !== undefined && values.builder !== 'default')
      throw usage(
        `Cannot build with builder "${values.builder}": the engine is the only one`,
        'Name another engine with --host, or leave out --builder',
      )
    if (values.memory !== undefined) screen.warn('--memory has no effect: builders of this kind have no such limit')
    const { project } = await loadProject(call, {
      ...(call.args.length > 0 ? { services: call.args } : {}),
      making: { services: call.args.length > 0 ? call.args : 'all', alone: true },
    })
    const known = Object.keys(project.services)
    const named = checkServices(call.args, known) ?? known
    const { serviceGraph } = await import('../../graph/services.ts')
    const services = values['with-dependencies'] ? [...serviceGraph(project).closure(named)] : named
    if (!services.some(name => project.services[name]!.build)) {
      if (!values.quiet) screen.warn('No services to build')
      return
    }
    const { buildServices } = await import('../build-services.ts')
    return await buildServices(call, project, { ...values, services })
  },
})
