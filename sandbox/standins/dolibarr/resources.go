package dolibarr

// column is one field of an object: its name in the API, in the table, its SQL type, and whether a caller may set it.
type column struct {
	api, name, kind string
	write           bool
}

// lineTable holds the lines of an object.
type lineTable struct{ table, parent string }

// resource is one kind of object of the API.
type resource struct {
	path, table, key, noun string
	// Ids of llx_rights_def.
	read, create, remove, validate int
	columns                        []column
	required                       []string
	lines                          *lineTable
	extra                          string // table of the extra fields, whose columns become array_options
	numbering                      string // prefix of the references of validated objects
}

func (r *resource) types() map[string]string {
	types := map[string]string{}
	for _, c := range r.columns {
		types[c.name] = c.kind
	}
	return types
}

func (r *resource) byAPI(name string) *column {
	for index := range r.columns {
		if r.columns[index].api == name {
			return &r.columns[index]
		}
	}
	return nil
}

const (
	text    = "text"
	integer = "integer"
	decimal = "numeric"
	date    = "date"
	moment  = "timestamp"
)

var lineColumns = []column{
	{"id", "rowid", integer, false}, {"fk_product", "fk_product", integer, true}, {"desc", "description", text, true},
	{"qty", "qty", decimal, true}, {"subprice", "subprice", decimal, true}, {"tva_tx", "tva_tx", decimal, true},
	{"total_ht", "total_ht", decimal, false}, {"total_tva", "total_tva", decimal, false}, {"total_ttc", "total_ttc", decimal, false},
	{"rang", "rang", integer, false},
}

func billColumns(more ...column) []column {
	return append([]column{
		{"id", "rowid", integer, false}, {"ref", "ref", text, false}, {"entity", "entity", integer, false}, {"type", "type", integer, true},
		{"socid", "fk_soc", integer, true}, {"date", "datef", date, true}, {"date_lim_reglement", "date_lim_reglement", date, true},
		{"paye", "paye", integer, false}, {"status", "fk_statut", integer, false}, {"total_ht", "total_ht", decimal, false},
		{"total_tva", "total_tva", decimal, false}, {"total_ttc", "total_ttc", decimal, false}, {"note_private", "note_private", text, true},
		{"user_creation_id", "fk_user_author", integer, false}, {"user_validation_id", "fk_user_valid", integer, false},
		{"date_creation", "datec", moment, false}, {"date_modification", "tms", moment, false},
	}, more...)
}

var resources = []*resource{
	{
		path: "thirdparties", table: "llx_societe", key: "rowid", noun: "Thirdparty", read: 121, create: 122, remove: 125,
		required: []string{"name"}, extra: "llx_societe_extrafields",
		columns: []column{
			{"id", "rowid", integer, false}, {"name", "nom", text, true}, {"entity", "entity", integer, false},
			{"code_client", "code_client", text, true}, {"code_fournisseur", "code_fournisseur", text, true}, {"client", "client", integer, true},
			{"fournisseur", "fournisseur", integer, true}, {"address", "address", text, true}, {"zip", "zip", text, true},
			{"town", "town", text, true}, {"country_code", "country_code", text, true}, {"email", "email", text, true},
			{"phone", "phone", text, true}, {"idprof1", "siren", text, true}, {"idprof2", "siret", text, true},
			{"tva_intra", "tva_intra", text, true}, {"status", "status", integer, true}, {"note_private", "note_private", text, true},
			{"user_creation_id", "fk_user_creat", integer, false}, {"date_creation", "datec", moment, false},
			{"date_modification", "tms", moment, false},
		},
	},
	{
		path: "products", table: "llx_product", key: "rowid", noun: "Product", read: 31, create: 32, remove: 34, required: []string{"ref", "label"},
		columns: []column{
			{"id", "rowid", integer, false}, {"ref", "ref", text, true}, {"entity", "entity", integer, false}, {"label", "label", text, true},
			{"description", "description", text, true}, {"price", "price", decimal, true}, {"tva_tx", "tva_tx", decimal, true},
			{"status", "tosell", integer, true}, {"status_buy", "tobuy", integer, true}, {"type", "fk_product_type", integer, true},
			{"date_creation", "datec", moment, false}, {"date_modification", "tms", moment, false},
		},
	},
	{
		path: "invoices", table: "llx_facture", key: "rowid", noun: "Invoice", read: 11, create: 12, remove: 19, validate: 14,
		required: []string{"socid"}, lines: &lineTable{"llx_facturedet", "fk_facture"}, extra: "llx_facture_extrafields", numbering: "FA",
		columns: billColumns(column{"date_validation", "date_valid", date, false}),
	},
	{
		path: "supplierinvoices", table: "llx_facture_fourn", key: "rowid", noun: "Supplier invoice", read: 1231, create: 1232, remove: 1234, validate: 1233,
		required: []string{"socid", "ref_supplier"}, lines: &lineTable{"llx_facture_fourn_det", "fk_facture_fourn"}, numbering: "SI",
		columns: billColumns(column{"ref_supplier", "ref_supplier", text, true}, column{"label", "libelle", text, true}),
	},
	{
		// Read only: a payment is made with POST /invoices/{id}/payments.
		path: "payments", table: "llx_paiement", key: "rowid", noun: "Payment", read: 11,
		columns: []column{
			{"id", "rowid", integer, false}, {"ref", "ref", text, false}, {"entity", "entity", integer, false}, {"date", "datep", moment, false},
			{"amount", "amount", decimal, false}, {"mode_id", "fk_paiement", integer, false}, {"num_payment", "num_paiement", text, false},
			{"user_creation_id", "fk_user_creat", integer, false}, {"date_creation", "datec", moment, false},
		},
	},
}
