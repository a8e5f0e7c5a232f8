package vault

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/vault/api"
)

// definition is a resource type: its attributes, where it lies in Vault, and how it is written and read where one
// object at one path is not all there is to it.
type definition struct {
	name        string
	description string
	fields      []field
	// location is the object's identifier, with attributes in braces: auth/{backend}/role/{role_name}.
	location string

	// choose fills in what is chosen where nothing is configured.
	choose func(now values)
	// create and update write; nil: the parameters to the location.
	create func(ctx context.Context, client *api.Client, at string, now values) error
	update func(ctx context.Context, client *api.Client, at string, now, before values) error
	// read takes over what Vault says and tells whether the object is there; nil: from the location.
	read func(ctx context.Context, client *api.Client, at string, into values) (bool, error)
	// remove; nil: deletes the location.
	remove func(ctx context.Context, client *api.Client, at string, last values) error
}

var braces = regexp.MustCompile(`\{(\w+)\}`)

// at fills the location.
func (d definition) at(from values) string {
	return braces.ReplaceAllStringFunc(d.location, func(name string) string {
		return strings.Trim(from.text(strings.Trim(name, "{}")), "/")
	})
}

// parse takes a location apart, for import.
func (d definition) parse(id string) (values, error) {
	names := braces.FindAllStringSubmatch(d.location, -1)
	pattern := "^" + regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(d.location), "(.+)") + "$"
	found := regexp.MustCompile(pattern).FindStringSubmatch(id)
	if found == nil {
		return nil, fmt.Errorf("expected %s, got %q", d.location, id)
	}
	parsed := values{}
	for index, name := range names {
		parsed[name[1]] = found[index+1]
	}
	return parsed, nil
}

type vaultResource struct {
	definition
	client *api.Client
}

func (r *vaultResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if client, ok := req.ProviderData.(*api.Client); ok {
		r.client = client
	}
}

func (r *vaultResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = r.name
}

func (r *vaultResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{Description: r.description, Blocks: map[string]schema.Block{}, Attributes: map[string]schema.Attribute{
		"id": schema.StringAttribute{Computed: true, PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()}},
	}}
	blocks := map[string]map[string]schema.Attribute{}
	for _, f := range r.fields {
		if f.block == "" {
			resp.Schema.Attributes[f.name] = f.attribute()
			continue
		}
		if blocks[f.block] == nil {
			blocks[f.block] = map[string]schema.Attribute{}
		}
		blocks[f.block][f.name] = f.attribute()
	}
	for name, attributes := range blocks {
		resp.Schema.Blocks[name] = schema.ListNestedBlock{
			NestedObject: schema.NestedBlockObject{Attributes: attributes},
			Validators:   []validator.List{listvalidator.IsRequired(), listvalidator.SizeAtMost(1)},
		}
	}
}

func (r *vaultResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	now := get(ctx, req.Plan, r.fields, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	if r.choose != nil {
		r.choose(now)
	}
	at := r.at(now)
	err := r.write(ctx, at, now, nil)
	if err == nil {
		err = r.complete(ctx, at, now)
	}
	if err != nil {
		failed(&resp.Diagnostics, "create", at, err)
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), at)...)
	put(ctx, &resp.State, r.fields, now, &resp.Diagnostics)
}

func (r *vaultResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	now := get(ctx, req.Plan, r.fields, &resp.Diagnostics)
	before := get(ctx, req.State, r.fields, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	at := r.at(now)
	err := r.write(ctx, at, now, before)
	if err == nil {
		err = r.complete(ctx, at, now)
	}
	if err != nil {
		failed(&resp.Diagnostics, "change", at, err)
		return
	}
	put(ctx, &resp.State, r.fields, now, &resp.Diagnostics)
}

// write creates (before is nil) or changes the object.
func (r *vaultResource) write(ctx context.Context, at string, now, before values) error {
	if before != nil && r.update != nil {
		return r.update(ctx, r.client, at, now, before)
	}
	if r.create != nil {
		return r.create(ctx, r.client, at, now)
	}
	_, err := r.client.Logical().WriteWithContext(ctx, at, parameters(r.fields, now, before))
	return err
}

// complete fills in what only Vault knows. What was planned stays as it was planned.
func (r *vaultResource) complete(ctx context.Context, at string, now values) error {
	if !r.hasComputed() {
		return nil
	}
	seen := values{}
	for name, value := range now {
		seen[name] = value
	}
	found, err := r.observed(ctx, at, seen)
	if err != nil || !found {
		return err
	}
	for _, f := range r.fields {
		if f.computed {
			now[f.name] = seen[f.name]
		}
	}
	return nil
}

func (r *vaultResource) hasComputed() bool {
	for _, f := range r.fields {
		if f.computed {
			return true
		}
	}
	return false
}

func (r *vaultResource) observed(ctx context.Context, at string, into values) (bool, error) {
	if r.read != nil {
		return r.read(ctx, r.client, at, into)
	}
	secret, err := r.client.Logical().ReadWithContext(ctx, at)
	if err != nil || secret == nil {
		return false, err
	}
	return true, observe(r.fields, into, secret.Data)
}

func (r *vaultResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	state := get(ctx, req.State, r.fields, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	at := r.at(state)
	found, err := r.observed(ctx, at, state)
	if err != nil {
		failed(&resp.Diagnostics, "read", at, err)
		return
	}
	if !found {
		resp.State.RemoveResource(ctx)
		return
	}
	for _, f := range r.fields {
		// After an import: instructions to the provider have their defaults.
		if _, known := state[f.name]; !known && f.local && !f.required && !f.sensitive {
			state[f.name] = f.zero()
		}
	}
	put(ctx, &resp.State, r.fields, state, &resp.Diagnostics)
}

func (r *vaultResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	state := get(ctx, req.State, r.fields, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	at := r.at(state)
	var err error
	if r.remove != nil {
		err = r.remove(ctx, r.client, at, state)
	} else {
		_, err = r.client.Logical().DeleteWithContext(ctx, at)
	}
	if err != nil && !absent(err) {
		failed(&resp.Diagnostics, "delete", at, err)
	}
}

func (r *vaultResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	parsed, err := r.parse(req.ID)
	if err != nil {
		resp.Diagnostics.AddError("Not an identifier of "+r.name, err.Error())
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), req.ID)...)
	for name, value := range parsed {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(name), value)...)
	}
}

// failed adds Vault's own answer. It never holds what was sent.
func failed(diagnostics *diag.Diagnostics, doing, at string, err error) {
	diagnostics.AddError("Could not "+doing+" "+at, err.Error())
}

// absent tells whether Vault answered that there is no such object or mount.
func absent(err error) bool {
	answer, ok := err.(*api.ResponseError)
	return ok && (answer.StatusCode == 404 || strings.Contains(answer.Error(), "no handler for route"))
}
