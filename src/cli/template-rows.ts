/** `--format TEMPLATE`: rows through a template, one by one or as a table with headings, as docker's lists do it. */
import { table } from '../lib/text.ts'
import { evaluate } from '../template/evaluate.ts'
import { functions, headingFunctions } from '../template/functions.ts'
import { parseTemplate, type Template } from '../template/syntax.ts'

export interface Templated {
  readonly rows: readonly object[]
  /** Field → heading; without an entry it is the field in capitals. */
  readonly headings?: Readonly<Record<string, string>>
  readonly least?: number
}

const names = new Set([...Object.keys(functions), 'and', 'or'])

/** Lines to print. @throws Failure invalid, with line and column of the template */
export function templated(format: string, { rows, headings = {}, least = 10 }: Templated): readonly string[] {
  const isTable = /^table\s/.test(format)
  const source = (isTable ? format.replace(/^table\s+/, '') : format).replaceAll('\\t', '\t').replaceAll('\\n', '\n')
  const template = parseTemplate(source, names)
  const texts = rows.map(row => evaluate(template, row, functions))
  if (!isTable) return texts
  const lines = [headingOf(template, headings), ...texts].flatMap(text => text.split('\n'))
  return [
    table(
      lines.map(line => line.split('\t')),
      { least },
    ),
  ]
}

/** The template with headings in place of values. */
function headingOf(template: Template, headings: Readonly<Record<string, string>>): string {
  return evaluate(template, new Headings(headings), headingFunctions)
}

/** Field → heading; the one of a label is its last part. */
class Headings extends Map<string, unknown> {
  constructor(headings: Readonly<Record<string, string>>) {
    super(Object.entries(headings))
    this.set('Label', (name: string) => name.split('.').at(-1)!.replace(/[-_]/g, ' '))
  }

  override get(field: string): unknown {
    return super.get(field) ?? field.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toUpperCase()
  }
}
