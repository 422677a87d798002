import 'reflect-metadata';
import { Body, Injectable, Param, type PipeTransform, Query } from '@nestjs/common';
import { ApiBody, ApiParam, ApiQuery } from '@nestjs/swagger';
import type { z } from 'zod';
import { toOpenApi } from '../openapi/to-open-api.ts';
import { type FieldError, invalidRequest, Problem } from './problem.ts';

/** Gives the handler what the schema makes of its argument, or refuses the request with everything that is wrong. */
@Injectable()
export class ZodPipe<S extends z.ZodType> implements PipeTransform<unknown, z.output<S>> {
  readonly #schema: S;
  readonly #name: string;

  /** `name` is put before the paths of errors, for a value that is not a whole body or query. */
  constructor(schema: S, name = '') {
    this.#schema = schema;
    this.#name = name;
  }

  transform(value: unknown): z.output<S> {
    const result = this.#schema.safeParse(value);
    if (result.success) return result.data;
    throw invalidRequest(result.error.issues.map((issue) => fieldError(issue, this.#name)));
  }
}

class ZodBodyPipe<S extends z.ZodType> extends ZodPipe<S> {
  override transform(value: unknown): z.output<S> {
    if (value === undefined) throw bodyMissing();
    return super.transform(value);
  }
}

/** The JSON body, parsed by the schema and described by it in the API document: `@ZodBody(PlaceOrder) order: PlaceOrder`. */
export function ZodBody(schema: z.ZodType): ParameterDecorator {
  return (controller, method, index) => {
    Body(new ZodBodyPipe(schema))(controller, method, index);
    describe(controller, method, index, [ApiBody({ schema: toOpenApi(schema) })]);
  };
}

/** The whole query string. Its values are text: the schema coerces what is not, such as `z.coerce.number()`. */
export function ZodQuery(schema: z.ZodObject): ParameterDecorator {
  return (controller, method, index) => {
    Query(new ZodPipe(schema))(controller, method, index);
    const { properties = {}, required = [] } = toOpenApi(schema);
    const parameters = Object.entries(properties).map(([name, property]) => {
      const description = 'description' in property ? property.description : undefined;
      const about = description === undefined ? {} : { description };
      return ApiQuery({ name, required: required.includes(name), schema: property, ...about });
    });
    describe(controller, method, index, parameters);
  };
}

/** One parameter of the path: `@ZodParam('id', OrderId) id: OrderId`. */
export function ZodParam(name: string, schema: z.ZodType): ParameterDecorator {
  return (controller, method, index) => {
    Param(name, new ZodPipe(schema, name))(controller, method, index);
    describe(controller, method, index, [ApiParam({ name, schema: toOpenApi(schema) })]);
  };
}

/**
 * Writes the schema into the API document. For a parameter whose zod type has the name of its schema, SWC records the
 * schema as its class (`design:paramtypes`), and @nestjs/swagger fails on a class without a prototype: it is told that
 * the class is `Object`, of which it makes nothing.
 */
function describe(
  controller: object,
  method: string | symbol | undefined,
  index: number,
  decorators: readonly MethodDecorator[],
): void {
  if (method === undefined) throw new TypeError('constructor parameters are not parts of a request');
  const types: unknown = Reflect.getMetadata('design:paramtypes', controller, method);
  if (Array.isArray(types)) types[index] = Object;
  const descriptor = Object.getOwnPropertyDescriptor(controller, method);
  if (descriptor !== undefined) for (const decorate of decorators) decorate(controller, method, descriptor);
}

function fieldError({ path, message }: z.core.$ZodIssue, name: string): FieldError {
  const text = path.reduce<string>((parent, key) => {
    if (typeof key === 'number') return `${parent}[${key}]`;
    return parent === '' ? String(key) : `${parent}.${String(key)}`;
  }, name);
  return { path: text, message };
}

function bodyMissing(): Problem {
  return new Problem({
    status: 400,
    type: 'empty-body',
    title: 'Empty body',
    detail: 'This request needs a body. Send JSON with the header "Content-Type: application/json".',
  });
}
