import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

export interface OpenApiOptions {
  readonly title?: string;
  readonly description?: string;
  readonly version?: string;
}

/**
 * The API document at `/openapi.json` and a page to browse it at `/docs`, whose scripts and styles are served from here.
 * Types reach the document only through schemas (`ZodBody`, `ApiResponse({ schema })`): SWC does not run the compiler
 * plugin of @nestjs/swagger.
 */
export function serveDocs(app: INestApplication, name: string, { title, description, version }: OpenApiOptions): void {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle(title ?? `Millrace ${name}`)
    .setDescription(description ?? `What the ${name} service answers over HTTP.`)
    .setVersion(version ?? '1')
    .build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, config), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: config.info.title,
  });
}
