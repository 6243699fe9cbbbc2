/** How each attribute of the Compose format is honoured here. */

import { Failure } from '../../lib/failure.ts'
import { nearest } from '../../lib/problems.ts'
import type { EngineKind } from '../../targets/engine/support.ts'
import { command } from '../command.ts'
import { usage } from '../options.ts'
import { formatOption, printList } from '../print.ts'
import { targetNameOf } from '../target-name.ts'

const engines: readonly EngineKind[] = ['tscompose', 'rootless', 'docker']

export const support = command({
  usage: '[OPTIONS] [ATTRIBUTE]',
  about: 'ATTRIBUTE shows those below it: services.deploy, or ports for all that are called so.',
  options: {
    engine: {
      kind: 'text',
      value: 'ENGINE',
      choices: engines,
      about: 'Whose: tscompose (default), rootless (the same as an ordinary user) or docker',
    },
    level: { kind: 'text', value: 'LEVEL', choices: ['honoured', 'partly', 'no'], about: 'Only these' },
    format: formatOption,
  },
  examples: [
    ['tscompose support --level no', 'what is not honoured'],
    ['tscompose support deploy', 'one part of the format'],
    ['tscompose support --engine rootless mem_limit', 'what an engine of an ordinary user does'],
  ],
  async run(call) {
    const { options, args, screen } = call
    const target = targetNameOf(call)
    if (target !== 'engine' && options.engine !== undefined)
      throw usage('--engine is for the target engine: leave out --target')
    const [{ supportOf }, { attributePaths }] = await Promise.all([
      import('../targets.ts'),
      import('../../stack/attributes.ts'),
    ])
    const all = (await supportOf(target, options.engine as EngineKind | undefined)).table(attributePaths())
    const [wanted] = args
    const rows = all
      .filter(each => options.level === undefined || each.level === options.level)
      .filter(each => wanted === undefined || matches(each.path, wanted))
    if (wanted !== undefined && !all.some(each => matches(each.path, wanted))) {
      const near = nearest(wanted, new Set(all.flatMap(each => each.path.split('.'))))
      throw new Failure(
        'not-found',
        `The format has no attribute "${wanted}"`,
        near ? { hint: `Did you mean "${near}"?` } : {},
      )
    }
    await printList(screen, {
      format: options.format,
      rows,
      columns: {
        ATTRIBUTE: each => each.path,
        HONOURED: each => (each.level === 'honoured' ? 'yes' : each.level),
        NOTE: each => each.note ?? '',
      },
      json: 'array',
    })
  },
})

function matches(path: string, wanted: string): boolean {
  const bare = path.split('.').filter(part => part !== '*')
  const asked = wanted.split('.').filter(part => part !== '*')
  return bare.some((_, i) => asked.every((part, j) => bare[i + j] === part))
}
