/** Gives a target a name, so that --target NAME says all of where it is. */

import { list } from '../../lib/text.ts'
import { readNamedTargets, writeNamedTargets } from '../../state/named-targets.ts'
import { targetNames } from '../../targets/target.ts'
import { command } from '../command.ts'
import { isKind } from '../named-target.ts'
import { usage } from '../options.ts'

export const targetAdd = command({
  usage: '[OPTIONS] NAME KIND',
  about:
    'KIND is engine, swarm or kubernetes. What --host, --context, --namespace and KUBECONFIG say is kept with it; credentials stay where they are. One of the name is replaced.',
  words: [2, 2],
  options: {},
  examples: [
    ['tscompose target add prod kubernetes --context prod --namespace shop', 'a namespace of a cluster'],
    ['tscompose target add many swarm -H ssh://me@manager', 'a swarm, by one of its managers'],
  ],
  async run(call) {
    const { args, env, screen } = call
    const [name, kind] = args as [string, string]
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/.test(name) || isKind(name))
      throw usage(`Cannot call a target "${name}"`, 'It should be letters, digits, "-", "_" and ".", and no kind')
    if (!isKind(kind)) throw usage(`"${kind}" is no kind of target`, `There are ${list(targetNames)}`)
    const { host, context, namespace } = call.globals
    const kubeconfig = kind === 'kubernetes' ? env['KUBECONFIG'] || undefined : undefined
    const target = {
      kind,
      ...(host === undefined ? {} : { host }),
      ...(context === undefined ? {} : { context }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
    }
    const known = readNamedTargets({ env })
    writeNamedTargets({ env }, { ...known, targets: { ...known.targets, [name]: target } })
    screen.say(`Target ${name} is added: --target ${name}, or tscompose target use ${name}`)
  },
})
