/** The targets by name, and which of them is meant where nothing is said. */
import { readNamedTargets } from '../../state/named-targets.ts'
import { targetNames } from '../../targets/target.ts'
import { command } from '../command.ts'
import { formatOption, printList } from '../print.ts'

export const targetLs = command({
  usage: '[OPTIONS]',
  words: [0, 0],
  options: {
    quiet: { kind: 'flag', short: 'q', about: 'Print names only' },
    format: formatOption,
  },
  examples: [['tscompose target ls', 'where stacks can go']],
  async run(call) {
    const { options, screen, env } = call
    const { targets, current = 'engine' } = readNamedTargets({ env })
    const own = Object.entries(targets).sort(([a], [b]) => (a < b ? -1 : 1))
    const rows = [...targetNames.map(kind => [kind, { kind }] as const), ...own].map(([name, target]) => ({
      Name: name,
      Kind: target.kind,
      Current: name === current,
      Host: 'host' in target ? target.host : undefined,
      Context: 'context' in target ? target.context : undefined,
      Namespace: 'namespace' in target ? target.namespace : undefined,
      Kubeconfig: 'kubeconfig' in target ? target.kubeconfig : undefined,
    }))
    if (options.quiet) return screen.printAll(rows.map(row => row.Name))
    await printList(screen, {
      format: options.format,
      rows,
      columns: {
        NAME: row => `${row.Name}${row.Current ? ' *' : ''}`,
        KIND: row => row.Kind,
        WHERE: row =>
          [row.Host, row.Context, row.Namespace, row.Kubeconfig].filter(each => each !== undefined).join(' '),
      },
      json: 'array',
    })
  },
})
