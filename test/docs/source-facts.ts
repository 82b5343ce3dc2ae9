import { join } from 'node:path'
import ts from 'typescript'
import { root } from './markdown.js'

/** A member of an interface, as its source declares it. */
export interface Member {
  readonly name: string
  readonly isOptional: boolean
  readonly doc: string
}

/** What the sources say, read by the compiler. */
export class SourceFacts {
  readonly #program: ts.Program
  readonly #checker: ts.TypeChecker

  constructor(...paths: readonly string[]) {
    this.#program = ts.createProgram(
      paths.map((path) => join(root, path)),
      compilerOptions(),
    )
    this.#checker = this.#program.getTypeChecker()
  }

  /** The strings of a type alias that is a union of them. */
  stringsOf(alias: string): readonly string[] {
    const type = this.#typeOf(alias)
    const members = type.isUnion() ? type.types : [type]
    return members.map((member) => {
      if (member.isStringLiteral()) return member.value
      throw new Error(`${alias} is not a union of strings`)
    })
  }

  /** The members of an interface, inherited ones included, in the order of their declaration. `under`: whose interface. */
  membersOf(name: string, under = ''): readonly Member[] {
    return this.#typeOf(name, under)
      .getProperties()
      .map((property) => ({
        name: property.name,
        isOptional: (property.flags & ts.SymbolFlags.Optional) !== 0,
        doc: ts.displayPartsToString(property.getDocumentationComment(this.#checker)).replace(/\s+/g, ' '),
      }))
  }

  #typeOf(name: string, under = ''): ts.Type {
    for (const file of this.#program.getSourceFiles()) {
      if (file.isDeclarationFile || !file.fileName.includes(under)) continue
      const declaration = file.statements.find(
        (statement) =>
          (ts.isTypeAliasDeclaration(statement) || ts.isInterfaceDeclaration(statement)) &&
          statement.name.text === name,
      )
      if (declaration !== undefined) return this.#checker.getTypeAtLocation(declaration)
    }
    throw new Error(`No type ${name} in these sources`)
  }
}

/** How the tests of this repository are compiled: the packages' names lead to their sources. */
export function compilerOptions(): ts.CompilerOptions {
  const path = join(root, 'test/tsconfig.json')
  const { config } = ts.readConfigFile(path, (file) => ts.sys.readFile(file)) as { config: unknown }
  return ts.parseJsonConfigFileContent(config, ts.sys, join(root, 'test'), undefined, path).options
}

/** A default as a docstring states it: `Default x`, `default x`, or `` `x` (default) ``; `undefined`: it states none. */
export function defaultIn(doc: string): string | undefined {
  if (/\bNo default\b/.test(doc)) return undefined
  const marked = /(`[^`]+`) \(default\)/.exec(doc)?.[1]
  return marked ?? /\b[Dd]efault:? (.+?)(?:[.;,](?:\s|$)|$)/.exec(doc)?.[1]
}
