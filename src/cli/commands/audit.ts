/** What the stack grants and risks, with the place and the smallest change that takes each risk away. */
import { count, audit as findingsOf, rank } from '../../audit/audit.ts'
import { type Finding, type Severity, severities } from '../../audit/finding.ts'
import { plural, printable } from '../../lib/text.ts'
import { showPlace } from '../../stack/tree.ts'
import { command } from '../command.ts'
import { formatOption, printList } from '../print.ts'
import { checkServices, loadProject } from '../project.ts'
import type { Screen, Style } from '../screen.ts'

const styles: Readonly<Record<Severity, Style>> = { critical: 'red', high: 'red', medium: 'yellow', low: 'dim' }

/** The exit code of a stack that risks as much as --fail-on says. */
const risky = 2

export const audit = command({
  usage: '[OPTIONS] [SERVICE...]',
  about:
    'Reads the stack alone: no engine is needed. Ends with 2 when something is as bad as --fail-on says, with 1 when the stack cannot be read.',
  options: {
    level: { kind: 'text', value: 'LEVEL', choices: severities, about: 'The least that is shown; default medium' },
    'fail-on': {
      kind: 'text',
      value: 'LEVEL',
      choices: [...severities, 'none'],
      about: 'The least that fails; default high',
    },
    format: { ...formatOption, about: `text (default); otherwise ${formatOption.about}` },
  },
  examples: [
    ['tscompose audit', 'what is to be mended first'],
    ['tscompose audit --level low --format json', 'everything, for a program'],
  ],
  async run(call) {
    const { options, screen, args } = call
    const { project } = await loadProject(call)
    const services = checkServices(args, Object.keys(project.services))
    const all = findingsOf(project, services && [...services])
    const level = (options.level ?? 'medium') as Severity
    const shown = all.filter(each => rank(each.severity) <= rank(level))
    if (options.format !== undefined && options.format !== 'text') await printRows(screen, shown, options.format)
    else printText(screen, all, shown)
    const failOn = options['fail-on'] ?? 'high'
    return failOn !== 'none' && all.some(each => rank(each.severity) <= rank(failOn as Severity)) ? risky : 0
  },
})

/** A paragraph a finding: what stands where, what it risks, what to write instead. */
function printText(screen: Screen, all: readonly Finding[], shown: readonly Finding[]): void {
  const { paint } = screen
  for (const { severity, service, place, grants, risk, change } of shown)
    screen.printAll([
      `${paint(styles[severity], severity.padEnd(8))} ${paint('bold', printable(`${service}: ${grants}`))}  ${paint('dim', printable(showPlace(place)))}`,
      `         ${printable(risk)}`,
      `         ${paint('green', '→')} ${printable(change)}`,
      '',
    ])
  const counts = count(all)
  const parts = severities.filter(each => counts[each] > 0).map(each => `${counts[each]} ${each}`)
  const hidden = all.length - shown.length
  const rest = hidden > 0 ? `; ${plural(hidden, 'is', 'are')} not shown, --level low shows all` : ''
  screen.print(all.length === 0 ? 'Nothing found' : `${plural(all.length, 'finding')}: ${parts.join(', ')}${rest}`)
}

async function printRows(screen: Screen, shown: readonly Finding[], format: string): Promise<void> {
  await printList(screen, {
    format,
    rows: shown.map(({ rule, severity, service, path, place, grants, risk, change }) => ({
      Severity: severity,
      Rule: rule,
      Service: service,
      Path: ['services', service, ...path].join('.'),
      File: place?.file ?? '',
      Line: place?.line ?? 0,
      Column: place?.column ?? 0,
      Grants: grants,
      Risk: risk,
      Change: change,
    })),
    columns: {
      SEVERITY: row => row.Severity,
      SERVICE: row => row.Service,
      PLACE: row => (row.File === '' ? 'default' : `${row.File}:${row.Line}`),
      GRANTS: row => row.Grants,
      CHANGE: row => row.Change,
    },
    json: 'array',
  })
}
