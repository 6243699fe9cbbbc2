/** Brings a stack up and keeps it as its files say, while they change. */
import { bringUp, upOptions, type WantedAgain, wantedOf } from '../bring-up.ts'
import { command } from '../command.ts'
import { projectName } from '../project.ts'
import { valuesOf } from '../values.ts'

export const watch = command({
  usage: '[OPTIONS] [SERVICE...]',
  about:
    'Sources go by develop.watch: they are synced into the containers, or lead to a rebuild or a restart. When a file that defines the stack changes (stack files, what they include and extend, env files, configs, secrets), the stack is brought up again; one that cannot be read changes nothing. No volume is ever removed. With --detach the keeper follows both when the terminal is closed, and reads what changes as the user that it runs as. ^C ends the watch, and leaves the containers.',
  options: {
    'no-up': { kind: 'flag', about: 'Do not bring the stack up first' },
    detach: { kind: 'flag', short: 'd', about: 'Return, and have the keeper watch the stack' },
    stop: { kind: 'flag', about: 'End a watch that was begun with --detach; containers run on' },
    prune: { kind: 'flag', on: true, about: 'Remove an image that a rebuild has replaced' },
    quiet: { kind: 'flag', about: 'Show nothing of builds but failures' },
  },
  examples: [
    ['tscompose watch', 'work on the sources while the stack runs'],
    ['tscompose watch --no-up web', 'one service, which runs already'],
    ['tscompose watch --detach', 'follow the files of the stack though the terminal is closed'],
  ],
  async run(call) {
    const { options, screen, signal } = call
    if (options.stop) {
      const [name, client] = await Promise.all([projectName(call), call.connect()])
      await (await import('../detached-watch.ts')).stopWatch(call, client, name)
      return 0
    }
    const wanted = await wantedOf(call, valuesOf(upOptions))
    if (options.detach) {
      const { watchDetached } = await import('../detached-watch.ts')
      return await watchDetached(call, wanted, options['no-up'] ? 'no-up' : { yes: false })
    }
    const { watchOf } = await import('../watching.ts')
    await using watched = await watchOf(call, wanted, {
      signal,
      prune: options.prune,
      quiet: options.quiet,
      standing: options['no-up'] ? await standing(wanted) : undefined,
      say: line => screen.print(line),
      output: (_, line) => screen.print(line),
    })
    const { watch } = watched
    if (!options['no-up']) await bringUp(call, wanted, { yes: false })
    await watch.start()
    screen.print('Watch enabled')
    if (watch.rules === 0) screen.say('No service has "develop.watch": the files of the stack are watched alone')
    await new Promise<void>(resolve => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    return 130
  },
})

/** Services that are named, or have containers. */
async function standing({ client, services, loaded: { project } }: WantedAgain): Promise<readonly string[]> {
  if (services) return services
  const { observe } = await import('../../targets/engine/observe.ts')
  const { containers } = await observe(client, project.name, { containersOnly: true })
  return Object.keys(project.services).filter(name => containers.some(each => each.service === name && !each.oneOff))
}
